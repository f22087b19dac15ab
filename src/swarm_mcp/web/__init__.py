"""Plain HTTP: who is let in, how the server is, and the board for programs that speak no MCP."""
