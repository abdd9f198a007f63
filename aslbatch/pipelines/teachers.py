"""The teacher of a job: the client of the service that its configuration names."""

import os
import tempfile
from dataclasses import replace
from pathlib import Path

from aslbatch.config.pseudogloss import LabelRunSection
from aslbatch.config.teacher import TeacherSection
from aslbatch.labeling.gemini import GeminiBatch
from aslbatch.labeling.openai_batch import OpenAiBatch
from aslbatch.labeling.openai_chat import OpenAiChat
from aslbatch.labeling.openai_requests import ChatRequests
from aslbatch.labeling.openai_service import OpenAiService
from aslbatch.labeling.protocol import BatchTeacher
from aslbatch.labeling.vllm_batch import VllmBatch


def open_teacher(
    teacher: TeacherSection, run: LabelRunSection, *, work_name: str
) -> BatchTeacher | OpenAiChat:
    """Return the client of a teacher; nothing is sent yet.

    Args:
        teacher: Who is asked. Its key is read from the environment.
        run: How it is asked.
        work_name: Names the folder in which `vllm run-batch` works.

    Raises:
        ConfigError: The package of the client is not installed, or the key is missing.
    """
    name = teacher.key_name
    api_key, key_name = os.environ.get(name) if name else None, name or ""
    first_wait_s = min(1.0, run.poll_s)
    if teacher.kind == "gemini":
        return GeminiBatch(
            model=teacher.model,
            api_key=api_key,
            key_name=key_name,
            base_url=teacher.base_url,
            temperature=teacher.temperature,
            max_output_tokens=teacher.max_output_tokens,
            patience_s=run.patience_s,
            first_wait_s=first_wait_s,
        )
    requests = ChatRequests(teacher.model, teacher.temperature, teacher.max_output_tokens)
    if teacher.kind == "vllm":
        folder = Path(tempfile.gettempdir(), f"aslbatch-vllm-{work_name}")
        return VllmBatch(requests, command=teacher.command, folder=folder)
    service = OpenAiService(
        teacher.model, api_key, key_name, teacher.base_url, run.patience_s, first_wait_s
    )
    if teacher.kind == "openai_batch":
        return OpenAiBatch(requests, service)
    return OpenAiChat(
        requests,
        replace(service, timeout_s=run.timeout_s),
        concurrency=run.concurrency,
        requests_per_minute=run.requests_per_minute,
    )
