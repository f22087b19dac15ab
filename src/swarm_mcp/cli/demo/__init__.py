"""The demo: scripted agents carry out a real plan, each in a process of its own, over MCP."""
