"""One message on its way to a reply: puzzles in it are solved and checked, the rest is talked about."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from trm_engine.config import list_presets
from trm_engine.config.sections import TaskConfig
from trm_engine.errors import SessionError, TrmError, UsageError
from trm_engine.language.model import LanguageError, Message
from trm_engine.language.stop import Stop
from trm_engine.serving.puzzles import UnknownTaskError
from trm_engine.serving.recogniser import Found, Reading, read_message, speaks_of_puzzles
from trm_engine.serving.residents import Resident
from trm_engine.serving.service import NoModelError
from trm_engine.serving.solving import Answer
from trm_engine.text import safe_text
from trm_tui.gateway import talking, words
from trm_tui.gateway.advice import advise
from trm_tui.gateway.contradictions import contradiction
from trm_tui.gateway.documents.passages import Passage
from trm_tui.gateway.documents.retrieval import of_context
from trm_tui.gateway.models.checkpoints import order_in_words
from trm_tui.gateway.reply import Ask, Reply
from trm_tui.gateway.solving import Tell, grid_json, solve
from trm_tui.gateway.tools import Toolbox
from trm_tui.shared.wording import command_text

if TYPE_CHECKING:
    from trm_tui.gateway.gateway import Gateway

TRM_ALONE = "trm"
"""The name under which the recursive models answer without a language model."""
_ANY = re.compile(
    r"\b(any (?:one )?solution|any of them|one of them|some solution|just (?:any|one)|anyway)\b", re.I
)
_CONTINUE = re.compile(r"\s*(?:continue|go on|write on|complete this text)\s*:\s*", re.IGNORECASE)
_JOB = "### Task:"
"""How Open WebUI begins the jobs that it has a chat model do by itself: titles, tags, follow-ups."""
_SMELLS = 8
"""Digits, in figures or words, from which a message may hold a puzzle that code has not found."""
_DIGIT = re.compile(r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|blank|empty)\b", re.IGNORECASE)
_OTHER_KINDS = ("light_up", "futoshiki")


@dataclass(frozen=True)
class Chosen:
    """Who is to answer: a language model or none, which recursive model, and why."""

    language: str
    trm: str
    reason: str
    text: str = ""
    """A text session, where that was asked for."""


class Turn:
    """One message on its way to a reply."""

    def __init__(
        self, gateway: Gateway, ask: Ask, chosen: Chosen, reply: Reply, tell: Tell, stop: Stop
    ) -> None:
        self.gateway, self.ask, self.chosen, self.reply = gateway, ask, chosen, reply
        self.tell, self.stop = tell, stop
        self.service = gateway.service

    def answer(self) -> None:
        """Find out what the message is, and answer it."""
        ask, chosen = self.ask, self.chosen
        if ask.message.lstrip().startswith(_JOB):
            self._job()
            return
        if chosen.text:
            self._write(chosen.text, ask.message)
            return
        reading = read_message(ask.message, self._configs())
        any_solution = bool(_ANY.search(ask.message))
        if not reading.puzzles and any_solution:
            reading = self._earlier()
        if not reading.puzzles and reading.near is None:
            reading = self._pointed_at() or reading
        if reading.puzzles:
            self._puzzles(reading, any_solution=any_solution)
        elif reading.near is not None:
            self._say("question", words.near_miss_question(reading.near), "it looks like an invalid puzzle")
        elif (
            (match := _CONTINUE.match(ask.message))
            and not chosen.language
            and (writer := self._newest_writer())
        ):
            self._write(writer, ask.message[match.end() :])
        elif chosen.language:
            self._talk()
        else:
            self._without_language()

    def _configs(self) -> list[TaskConfig]:
        """Return the tasks to read with: of the chosen model or of all, the best first; then the presets'."""
        served = self.service.residents.catalogue.list()
        best = sorted(served, key=lambda one: (one.best_score or -1.0, one.created), reverse=True)
        named_first = [one for one in best if one.session == self.chosen.trm] + best
        return [*(one.config.task for one in named_first), *_other_kinds()]

    def _earlier(self) -> Reading:
        """Read the latest puzzle of the conversation: the message speaks of it."""
        for turn in reversed(self.ask.history):
            if turn.role == "user" and (reading := read_message(turn.content, self._configs())).puzzles:
                return reading
        return Reading([], None)

    # --- puzzles ------------------------------------------------------------------------------------------

    def _puzzles(self, reading: Reading, *, any_solution: bool) -> None:
        self._route("trm", f"{_several(len(reading.puzzles), 'puzzle')} in the message")
        began = self.gateway.clock()
        parts = [self._puzzle(found, any_solution=any_solution) for found in reading.puzzles]
        if reading.more:
            parts.append(
                "There are more puzzles in the message: send those beyond the first 8 by themselves."
            )
        self.reply.timings["solve_milliseconds"] = round(1000 * (self.gateway.clock() - began), 1)
        self.reply.response = "\n\n".join(part for part in parts if part)
        if self.reply.route == "trm" and not self.reply.grids:
            self.reply.route = "question"
        self._piece(self.reply.response)

    def _puzzle(self, found: Found, *, any_solution: bool) -> str:
        """Solve one puzzle, or ask back; return the words with the grid."""
        doubt = None if any_solution else self._doubt(found)
        if doubt:
            return doubt
        try:
            number = len(self.reply.grids)
            resident, answer = solve(self.service, found, self.chosen.trm, self.tell, self.stop, number)
        except UnknownTaskError as error:
            return (
                f"I see an ARC task: {error}. It can be taught: trm-tui run arc-mini --data FILE trains "
                f"on your "
                "own tasks."
            )
        except (NoModelError, UsageError):
            return self._no_model(found)
        except SessionError as error:
            why = safe_text(str(error))
            return f"I see a {found.config.called}, and the chosen model cannot be asked: {why}"
        self._take(resident, answer)
        said = words.solved_words(resident, answer)
        worded = self._worded(found, resident, answer)
        return "\n\n".join(part for part in (worded, said, words.grid_block(resident, answer)) if part)

    def _take(self, resident: Resident, answer: Answer) -> None:
        reply = self.reply
        grid = grid_json(resident, answer, len(reply.grids))
        reply.grids.append(grid)
        reply.solved = answer.verdict.solved and reply.solved is not False
        reply.steps = (reply.steps or 0) + len(answer.steps)
        reply.model = reply.model or resident.served.session
        self.tell("grid", grid)

    def _doubt(self, found: Found) -> str:
        """Return a question about a puzzle that has no answer, or several where one is asked for."""
        if found.asked.arc is not None or not found.task.judges_all:
            return ""
        fault = found.task.unsettled(found.question.puzzle)
        if fault is None:
            return ""
        count = found.task.count_solutions(found.question.puzzle)
        return words.unsettled_question(found, fault, 0 if count == 0 else 2)

    def _no_model(self, found: Found) -> str:
        listed = self.service.residents.catalogue.list()
        chosen = next((one for one in listed if one.session == self.chosen.trm), None)
        if chosen is not None:
            return words.other_model_words(found, chosen.title, chosen.config.task)
        have = list(dict.fromkeys(one.config.task.called for one in listed))
        return words.no_model_words(
            found.config, advise(found.config, self.gateway.machine), have[:6], order_in_words()
        )

    def _worded(self, found: Found, resident: Resident, answer: Answer) -> str:
        """Have the language model word a result; nothing, or a mark, where it cannot or contradicts."""
        if not self.chosen.language or self.reply.marked:
            return ""
        began = self.gateway.clock()
        asked = f"{self.ask.message[: found.start]}[the puzzle]{self.ask.message[found.end :]}"
        try:
            model = self.gateway.languages.get(self.chosen.language)
            said = talking.word(model, asked, resident, answer, self.stop)
        except LanguageError as error:
            self.gateway.languages.failed(self.chosen.language, error)
            self.reply.notes.append(f"{self.chosen.language} did not word the answer: {command_text(error)}")
            return ""
        self.gateway.languages.answered(self.chosen.language)
        self.reply.timings["language_milliseconds"] = round(1000 * (self.gateway.clock() - began), 1)
        self._route(
            "ensemble", f"solved by {safe_text(resident.served.title)}, worded by {self.chosen.language}"
        )
        return said if self._agrees(said, resident, answer) else ""

    def _agrees(self, said: str, resident: Resident, answer: Answer) -> bool:
        """Tell whether words agree with the checked grid; where not, the reply is marked, the grid stands."""
        against = contradiction(
            said,
            resident.task,
            answer.question.puzzle,
            answer.answer,
            solved=answer.verdict.solved,
            steps=len(answer.steps),
        )
        if against:
            self.reply.marked = {
                "reason": f"the language model was overruled: {against}",
                "said": said[:1000],
            }
        return not against

    def _pointed_at(self) -> Reading | None:
        """Where code finds no puzzle in a message that speaks of one, ask the language model where it is."""
        message = self.ask.message
        if (
            not self.chosen.language
            or not speaks_of_puzzles(message)
            or len(_DIGIT.findall(message)) < _SMELLS
        ):
            return None
        try:
            model = self.gateway.languages.get(self.chosen.language)
            text = talking.point_at_puzzle(model, message, self.stop)
        except LanguageError:
            return None  # it is told when the message itself is answered
        reading = read_message(f"puzzle:\n{text}", self._configs()) if text else None
        if reading is None or not reading.puzzles:
            return None
        self.reply.notes.append(
            f"{self.chosen.language} found the puzzle; every clue of it is in the message"
        )
        return reading

    # --- prose --------------------------------------------------------------------------------------------

    def _talk(self) -> None:
        ask, name = self.ask, self.chosen.language
        passages = self._passages()
        spoken = "\n".join(
            turn.content for turn in (*ask.history, Message("user", ask.message)) if turn.role == "user"
        )
        toolbox = Toolbox(self.service, self.tell, self.stop, self.chosen.trm, spoken)
        self._route("language", self.chosen.reason)
        self.reply.model = name
        began = self.gateway.clock()
        try:
            model = self.gateway.languages.get(name)
            said = talking.talk(
                model,
                [*ask.history, Message("user", ask.message)],
                passages,
                toolbox,
                self._piece,
                self.stop,
                max_tokens=ask.max_tokens,
                temperature=ask.temperature,
                seconds=ask.seconds,
            )
        except LanguageError as error:
            self.gateway.languages.failed(name, error)
            raise
        self.gateway.languages.answered(name)
        self.reply.sources = passages
        self.reply.left_out = said.left_out
        if ask.context and not toolbox.solved:
            self.reply.notes.append(
                "the context went to the language model: a recursive model reads no prose"
            )
        done = said.completion
        self.reply.tokens = done.prompt_tokens or 0, done.completion_tokens or 0
        self.reply.timings["language_milliseconds"] = round(1000 * (self.gateway.clock() - began), 1)
        if done.finish == "time":
            self.reply.notes.append(f"it took longer than {ask.seconds:.0f} s and was ended there")
        self.reply.response = safe_text(done.text).strip()
        if toolbox.solved:
            self._insert(toolbox)

    def _passages(self) -> list[Passage]:
        """Return what the question's own context and the documents say of it, the context first."""
        ask = self.ask
        found = of_context(ask.context, ask.message) if ask.context else []
        return found + self.gateway.library.search(ask.message)[: max(3 - len(found), 0)]

    def _insert(self, toolbox: Toolbox) -> None:
        """Put the grids that tools have made into a reply, and compare its words with them."""
        text = self.reply.response
        parts = []
        for resident, answer in toolbox.solved:
            self._take(resident, answer)
            if not self._agrees(text, resident, answer):
                text = ""
            parts += [words.solved_words(resident, answer), words.grid_block(resident, answer)]
        self._route("ensemble", f"{self.chosen.language} asked the solver")
        self.reply.response = "\n\n".join(part for part in (text, *parts) if part)
        self._piece(self.reply.response)

    def _without_language(self) -> None:
        ask = self.ask
        passages = self._passages()
        self.reply.model = TRM_ALONE
        if passages:
            self.reply.sources = passages
            why = "no language model is set up; these passages are about it"
            if ask.context:
                self.reply.notes.append(
                    "a recursive model reads no prose: the context was searched, not read"
                )
            self._say("passages", words.passages_words(passages), why)
        else:
            self._say(
                "help", words.DOES_NOT_CHAT, "no language model is set up, and there is no puzzle in it"
            )

    def _job(self) -> None:
        """Do what another program has a chat model do by itself; something short where there is none."""
        if self.chosen.language:
            self._talk()
        else:
            self._say("help", '{"title": "Puzzles"}', "a job of the client, and no language model is set up")

    def _newest_writer(self) -> str:
        records = self.gateway.writers.records()
        return records[0].id if records else ""

    def _write(self, session: str, start: str) -> None:
        record = self.gateway.writers.find(session)
        if record is None:
            raise SessionError(f"session {safe_text(session)} has gone")
        self._route("text", f"{safe_text(record.name or record.preset)} continues texts")
        self.reply.model = record.id
        try:
            written = self.gateway.writers.write(record, start, self.ask.max_tokens, self._piece, self.stop)
        except TrmError as error:
            self._say("question", f"{safe_text(str(error))}.", "the text cannot be read")
            return
        self.reply.response = written

    # --- telling ------------------------------------------------------------------------------------------

    def _route(self, route: Any, reason: str) -> None:
        self.reply.route, self.reply.reason = route, reason
        self.tell("route", {"route": route, "reason": reason})

    def _say(self, route: Any, text: str, reason: str) -> None:
        self._route(route, reason)
        self.reply.response = text
        self._piece(text)

    def _piece(self, text: str) -> None:
        self.stop.check()
        self.tell("text", {"text": safe_text(text)})


@cache
def _other_kinds() -> tuple[TaskConfig, ...]:
    """Return the tasks of presets whose kinds no loader reads without a size."""
    tasks = (preset.config.task for preset in list_presets())
    return tuple(task for task in tasks if task.kind in _OTHER_KINDS)


def _several(count: int, word: str) -> str:
    return f"{count} {word}{'s' * (count != 1)}"
