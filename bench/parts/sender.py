"""
Log records put into an exporter as fast as it takes them, in a process of its own.

    python sender.py ours|upstream URL RECORDS

Prints as JSON the seconds from the first record until all are delivered, and the CPU of
the process meanwhile: putting, encoding, sending. Both have their defaults, a queue of
2,048 and batches of 512; while the queue is half full the records wait.
"""

from __future__ import annotations

import json
import sys
import time
from itertools import cycle, islice

from opentelemetry.sdk._logs import ReadWriteLogRecord
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from records import SCOPE, flat_log, sdk_log

DIFFERENT = 4096
CHUNK, HALF_FULL = 256, 1024
PAUSE = 0.0002
RESOURCE = {"service.name": "shop"}


def ours(url):
    """Return the records, and functions that put one, tell how many wait, and end."""
    from otel_aiohttp_logs._environment import Environment  # noqa: PLC0415
    from otel_aiohttp_logs.export.exporter import Exporter  # noqa: PLC0415
    from otel_aiohttp_logs.export.settings import export_settings  # noqa: PLC0415

    environment = Environment({"OTEL_EXPORTER_OTLP_ENDPOINT": url})
    settings = [
        export_settings(environment, signal, own=True) for signal in ("TRACES", "LOGS")
    ]
    exporter = Exporter(resource=RESOURCE, traces=settings[0], logs=settings[1])
    exporter.start()
    records = [flat_log() for _ in range(DIFFERENT)]
    return (
        records,
        exporter.emit_log,
        lambda: exporter.stats().logs.queued,
        lambda: exporter.flush(60),
    )


def upstream(url):
    from opentelemetry.exporter.otlp.proto.http._log_exporter import (  # noqa: PLC0415
        OTLPLogExporter,
    )
    from opentelemetry.sdk._logs.export import (  # noqa: PLC0415
        BatchLogRecordProcessor,
    )

    processor = BatchLogRecordProcessor(OTLPLogExporter(f"{url}/v1/logs"))
    resource, scope = Resource(RESOURCE), InstrumentationScope(*SCOPE)
    readable = (sdk_log(flat_log(), resource, scope) for _ in range(DIFFERENT))
    records = [
        ReadWriteLogRecord(one.log_record, one.resource, one.instrumentation_scope)
        for one in readable
    ]
    queue = processor._batch_processor._queue  # noqa: SLF001 - it doesn't say
    return (
        records,
        processor.on_emit,
        lambda: len(queue),
        lambda: processor.force_flush(60_000),
    )


def main():
    name, url, number = sys.argv[1], sys.argv[2], int(sys.argv[3])
    records, put, waiting, flush = {"ours": ours, "upstream": upstream}[name](url)
    left = islice(cycle(records), number)
    start, used = time.perf_counter(), time.process_time()
    while chunk := list(islice(left, CHUNK)):
        while waiting() > HALF_FULL:
            time.sleep(PAUSE)
        for record in chunk:
            put(record)
    flush()
    seconds, used = time.perf_counter() - start, time.process_time() - used
    print(json.dumps({"seconds": seconds, "cpu": used}))


if __name__ == "__main__":
    main()
