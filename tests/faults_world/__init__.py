"""A small real world to break: three services made of chassis parts, run as processes, killed and compared.

``orders`` takes commands over HTTP, ``parcels`` follows its facts, ``letters`` turns theirs into outside effects. The
faults, the load and the checks stand beside them; ``python -m faults_world`` runs all of it.
"""
