"""Studies: questions put to the model as shipped cases with claims, run over paired seeds and judged by statistics."""
