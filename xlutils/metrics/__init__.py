"""Measures: NumPy in, plain numbers or small dataclasses out."""
