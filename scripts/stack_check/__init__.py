"""
Checks the demo stack: what ``scripts/stack`` runs.

``surroundings``    what is in the way, before anything is started
``engine``          a Docker engine, ours if none runs
``compose``         calls of Compose
``stand_ins``       images that cannot be pulled, made here
``containers``      the stack in containers          } a ground: how to start, stop and
``processes``       the stack as plain processes     } kill its parts
``load``            requests to the shop, and how long they took
``truth``           which spans and lines a request must have left
``ask``             the query APIs of Jaeger and VictoriaLogs
``report``          the table at the end
``check_...``       the checks, in the order of the table
"""
