"""What other programs wrote, read into `document.PlanDocument`: one module for each format."""
