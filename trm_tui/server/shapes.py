"""What clients send and get, as OpenAPI describes it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from trm_engine.serving.puzzles import Asked

_LONGEST_PUZZLE = 20_000
_MOST_SIDE = 30


def _writable(text: str) -> str:
    """Refuse text that no UTF-8 can hold: halves of surrogate pairs."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("holds half a character (a lone surrogate)") from None
    return text


Text = Annotated[str, AfterValidator(_writable)]
PuzzleText = Annotated[Text, Field(max_length=_LONGEST_PUZZLE)]
Cell = Annotated[int, Field(strict=True, ge=0, le=16)] | Annotated[Text, Field(min_length=1, max_length=1)]
GridRow = Annotated[list[Cell], Field(min_length=1, max_length=_MOST_SIDE)]
Grid = Annotated[list[GridRow], Field(min_length=1, max_length=_MOST_SIDE)]
ModelName = Annotated[Text, Field(max_length=200)]

EXAMPLE_PUZZLE = "1..4......4..23."


class Shape(BaseModel):
    """A body that refuses what it does not know, so that a misspelt field is noticed."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class PuzzleBody(Shape):
    """A puzzle, as text, as rows of cells, or as an ARC task with its demonstrations."""

    puzzle: PuzzleText | None = None
    grid: Grid | None = None
    task: dict[str, Any] | None = None
    test: int = Field(0, ge=0, le=99, description="Which test input of an ARC task, from 0.")
    allow_unknown: bool = Field(False, description="Ask even about an ARC task the model has not learned.")

    @model_validator(mode="after")
    def _one_puzzle(self) -> PuzzleBody:
        given = [name for name in ("puzzle", "grid", "task") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError('give the puzzle once: as "puzzle", "grid" or "task"')
        return self

    def asked(self, truth: str | list[list[int | str]] | None = None) -> Asked:
        """Return the puzzle as the engine takes it."""
        return Asked(
            text=self.puzzle or "",
            grid=self.grid,
            arc=self.task,
            test=self.test,
            truth=truth if isinstance(truth, str) else "",
            truth_grid=truth if isinstance(truth, list) else None,
            allow_unknown=self.allow_unknown,
        )


class EffortBody(Shape):
    """Which model is asked, and how hard it tries."""

    model: ModelName = Field("auto", description="A session, or auto: the best that reads the puzzle.")
    max_steps: int | None = Field(None, ge=1, le=4096, description="Supervision steps of each view.")
    views: int | None = Field(
        None,
        ge=0,
        le=64,
        description="Further images of the puzzle to try while the rules refuse the answer.",
    )
    until: Literal["checked", "halt", "all"] | None = Field(
        None, description="Stop when the rules accept, when the model halts, or after all steps."
    )


class SolveBody(PuzzleBody, EffortBody):
    """A puzzle to be solved."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"puzzle": EXAMPLE_PUZZLE, "model": "auto"},
                {"grid": [[1, 0, 0, 4], [0, 0, 0, 0], [0, 0, 4, 0], [0, 2, 3, 0]], "until": "all"},
            ]
        }
    )

    steps: bool = Field(True, description="Send the grid after every step, too.")
    stream: bool = Field(False, description="Send server-sent events, one for each step.")
    truth: PuzzleText | Grid | None = Field(None, description="The solution, to compare with.")


class ValidateBody(PuzzleBody):
    """A puzzle, and an answer to be judged if there is one."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"puzzle": EXAMPLE_PUZZLE}]})

    model: ModelName | None = Field(None, description="Read it as the puzzle of this model's kind.")
    answer: PuzzleText | Grid | None = Field(None, description="An answer to judge by the rules.")


class BatchItem(Shape):
    """One puzzle of a batch."""

    puzzle: PuzzleText
    truth: PuzzleText | None = None


class BatchBody(EffortBody):
    """Many puzzles for one model."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "puzzles": [
                        EXAMPLE_PUZZLE,
                        "4...............",
                    ]
                }
            ]
        }
    )

    puzzles: list[PuzzleText | BatchItem] = Field(min_length=1, max_length=1000)
    stream: bool = Field(False, description="Send rows as lines of JSON as they are done.")
    wait: bool = Field(True, description="False: answer at once with an id to ask for progress with.")


class FinetuneBody(Shape):
    """Own puzzles for a session to go on learning from."""

    session: ModelName
    data: Annotated[Text, Field(max_length=900_000)] = Field(
        description="Puzzles, one a line, with their solutions: a list or CSV."
    )
    steps: int = Field(200, ge=1, le=100_000)
    lr: float | None = Field(None, gt=0, le=1)
    name: Annotated[Text, Field(max_length=80)] = ""


MessageText = Annotated[Text, Field(max_length=100_000)]


class Turn(Shape):
    """An earlier turn of a conversation."""

    role: Literal["user", "assistant", "system"]
    content: MessageText


class ChatBody(Shape):
    """A message, with what was said before and texts that belong to it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"message": f"Can you solve this sudoku? {EXAMPLE_PUZZLE}"},
                {"message": "What does the note say?", "context": "The note says: resume tomorrow."},
            ]
        }
    )

    message: MessageText = Field(min_length=1)
    history: list[Turn] = Field(default_factory=list, max_length=200)
    model: ModelName = Field("auto", description="auto, trm, a language model's name, or a session.")
    context: MessageText | Annotated[list[MessageText], Field(max_length=20)] | None = Field(
        None, description="Texts to answer from; a language model reads them, and they are searched without."
    )
    stream: bool = Field(False, description="Send server-sent events as the answer comes.")
    max_tokens: int = Field(512, ge=1, le=8192)
    temperature: float = Field(0.7, ge=0, le=2)


class Loose(BaseModel):
    """A body of another program's form: what is not known is ignored."""

    model_config = ConfigDict(extra="ignore", allow_inf_nan=False)


class Part(Loose):
    """A part of a message; parts that are no text are left out."""

    type: Annotated[Text, Field(max_length=40)] = "text"
    text: MessageText = ""


class CompletionMessage(Loose):
    """A turn of a conversation in OpenAI's form."""

    role: Annotated[Text, Field(max_length=40)]
    content: MessageText | Annotated[list[Part], Field(max_length=100)] | None = None

    @property
    def text(self) -> str:
        """All of its text."""
        if isinstance(self.content, list):
            return "\n".join(part.text for part in self.content if part.text)
        return self.content or ""


class StreamOptions(Loose):
    """What else a stream tells."""

    include_usage: bool = False


class CompletionBody(Loose):
    """A conversation in OpenAI's form."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"model": "auto", "messages": [{"role": "user", "content": EXAMPLE_PUZZLE}]}]
        }
    )

    model: ModelName = "auto"
    messages: list[CompletionMessage] = Field(min_length=1, max_length=400)
    stream: bool | None = False
    stream_options: StreamOptions | None = None
    max_tokens: int | None = Field(None, ge=1)
    max_completion_tokens: int | None = Field(None, ge=1)
    temperature: float | None = Field(None, ge=0, le=2)


class ErrorDetail(BaseModel):
    """What went wrong: `message` and `hint` for people, `code` and `remedies` for programs."""

    code: str
    message: str
    hint: str = ""
    remedies: list[dict[str, Any]] = Field(
        default_factory=list, description="What would help, each with a `code` that does not change."
    )


class ErrorBody(BaseModel):
    """Every error has this form."""

    error: ErrorDetail


def errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI entry of the errors that an address may answer with."""
    always = (400, 401, 403, 421)
    return {status: {"model": ErrorBody} for status in sorted({*always, *statuses})}
