"""How requests reach the service and its answers come back; knows HTTP and nothing of steps."""
