"""The process of a cloud, or the warm parent of clouds, for the owner at the other end of an inherited socket.

python -m labs.cloud host FD | python -m labs.cloud one FD SETTINGS
"""

import socket
import sys

from labs.cloud import host, moto_seams
from labs.cloud.local_client import Clients
from labs.cloud.process import Settings, serve

match sys.argv[1:]:
    case ["host", descriptor]:
        host.main(int(descriptor))
    case ["one", descriptor, settings]:
        moto_seams.preload()
        serve(Settings.from_json(settings.encode()), socket.socket(fileno=int(descriptor)), Clients())
    case _:
        sys.exit(__doc__)
