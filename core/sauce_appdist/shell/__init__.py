"""The command line that people type: its options, and every endpoint of the API as a command."""
