"""The messages and services of the protocol, made from the .proto files when this is imported.

Needs protoc and grpc_python_plugin (Debian: protobuf-compiler, protobuf-compiler-grpc). A service that is packaged
would make them once, when it is built.
"""

import importlib
import pathlib
import subprocess
import sys
import tempfile

PROTO = pathlib.Path(__file__).resolve().parents[3] / "proto"
SOURCES = ("waystation/adapter/v1/biller_adapter.proto", "grpc_health/v1/health.proto")

with tempfile.TemporaryDirectory(prefix="water-company-stubs-") as folder:
    subprocess.run(
        [
            "protoc",
            f"-I{PROTO}",
            f"--python_out={folder}",
            f"--grpc_python_out={folder}",
            "--plugin=protoc-gen-grpc_python=/usr/bin/grpc_python_plugin",
            *SOURCES,
        ],
        check=True,
    )
    sys.dont_write_bytecode = True
    sys.path.insert(0, folder)
    adapter = importlib.import_module("waystation.adapter.v1.biller_adapter_pb2")
    adapter_grpc = importlib.import_module("waystation.adapter.v1.biller_adapter_pb2_grpc")
    health = importlib.import_module("grpc_health.v1.health_pb2")
    health_grpc = importlib.import_module("grpc_health.v1.health_pb2_grpc")
    sys.path.remove(folder)
