"""What everything else stands on: the domain, the official sources, the knowledge base and the classifier."""

import os

# ONNX Runtime tells its maker of machine, program and models unless this is there before it is first imported.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
