"""What the words mean: values, rules and refusals. Knows neither database nor protocol."""
