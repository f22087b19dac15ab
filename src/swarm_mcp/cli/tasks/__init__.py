"""`tasks`: the operator's hands on tasks, one module for each thing that they do."""
