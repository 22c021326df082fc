"""How fast this project is beside other implementations of the same thing. Each file is a command of its own."""
