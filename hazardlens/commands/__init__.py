"""The commands, one module a group. What is heavy is imported inside the commands: ``--help`` must be quick."""
