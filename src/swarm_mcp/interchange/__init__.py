"""Documents in and out: answers as text, a task's documents, plans of other programs."""
