"""What is stored, and every statement about it: the one package that knows the database library."""
