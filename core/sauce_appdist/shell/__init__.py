"""The command line for people: the options of the steps, and every endpoint of the API as a command."""
