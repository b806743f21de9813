"""From a case to the operators that solve it: what each section asks for, handed to `solver.solve` as plain objects."""
