"""What building PyRadiomics 3.0.1 misses on Python 3.12 and newer (its versioneer is of 2018).

`make test` puts this folder on PYTHONPATH while pip compiles it, so that Python imports this file at its start.
"""

import configparser

if not hasattr(configparser, "SafeConfigParser"):

    class SafeConfigParser(configparser.ConfigParser):
        """The name and the method that Python 3.12 removed."""

        readfp = configparser.ConfigParser.read_file

    configparser.SafeConfigParser = SafeConfigParser
