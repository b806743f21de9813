"""A C++ program that meshes a label field with CGAL, compiled when first needed."""
