"""Partially observable Gymnasium environments, natively batched."""
