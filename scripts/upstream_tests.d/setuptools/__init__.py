"""
Stands in for setuptools while pip fetches an sdist that nobody wants to build.

pip asks each sdist for its metadata, and would fetch a build system and run the
sdist's own code for that. This answers instead: ``scripts/upstream-tests`` has it on
the path of that one call.
"""
