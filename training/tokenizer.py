"""A byte-level BPE: trains it, encodes with it, and writes it as a Hugging Face `tokenizer.json`.

Text is cut as the Hugging Face pre-tokenizers `Digits` (one by one) and `ByteLevel` (the GPT-2 pattern) cut it, so that
`Tokenizer.encode` gives the ids that the library gives for the written file.
"""

import json
import re
import sys
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path

BOS, SYSTEM, USER, ASSISTANT, END = "<|begin_of_text|>", "<|system|>", "<|user|>", "<|assistant|>", "<|end|>"
SPECIALS = [BOS, SYSTEM, USER, ASSISTANT, END]


def _character_class(first_letter: str) -> str:
    """The body of a regex class with every character of a Unicode general category, as ranges."""
    ranges: list[list[int]] = []
    for code in range(sys.maxunicode + 1):
        if unicodedata.category(chr(code))[0] == first_letter:
            if ranges and ranges[-1][1] == code - 1:
                ranges[-1][1] = code
            else:
                ranges.append([code, code])
    return "".join(f"\\U{a:08x}-\\U{b:08x}" for a, b in ranges)


_L, _N = _character_class("L"), _character_class("N")
_DIGIT = re.compile(f"([{_N}])")
_PIECE = re.compile(rf"'s|'t|'re|'ve|'m|'ll|'d| ?[{_L}]+| ?[{_N}]+| ?[^\s{_L}{_N}]+|\s+(?!\S)|\s+")
_SPECIAL = re.compile("(" + "|".join(re.escape(s) for s in SPECIALS) + ")")


def _byte_characters() -> list[str]:
    """The printable character that stands for each byte in a byte-level vocabulary (as in GPT-2)."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = (b for b in range(256) if b not in printable)
    table = {b: chr(b) for b in printable} | {b: chr(0x100 + i) for i, b in enumerate(others)}
    return [table[b] for b in range(256)]


_BYTE_CHARACTERS = _byte_characters()
_CHARACTER_BYTES = {c: b for b, c in enumerate(_BYTE_CHARACTERS)}


def pieces(text: str) -> list[str]:
    """Cuts a text without special tokens into the pieces inside which merges happen."""
    return [piece for part in _DIGIT.split(text) if part for piece in _PIECE.findall(part)]


class Tokenizer:
    """Vocabulary and merges, with the special tokens at the first ids."""

    def __init__(self, merges: list[tuple[str, str]]) -> None:
        self.merges = merges
        tokens = [*SPECIALS, *sorted(_BYTE_CHARACTERS), *(a + b for a, b in merges)]
        self.vocabulary = {token: i for i, token in enumerate(tokens)}
        self.tokens = tokens
        self._rank = {pair: i for i, pair in enumerate(merges)}
        self._cache: dict[str, list[int]] = {}

    @staticmethod
    def train(texts: Iterable[str], size: int) -> "Tokenizer":
        """Learns merges until the vocabulary has `size` tokens; ties go to the pair that sorts first."""
        counts = Counter(piece for text in texts for piece in pieces(text))
        words = [[_BYTE_CHARACTERS[b] for b in piece.encode()] for piece in counts]
        weights = list(counts.values())
        pair_counts: Counter = Counter()
        where: dict[tuple[str, str], set[int]] = defaultdict(set)
        for i, word in enumerate(words):
            for pair in zip(word, word[1:]):
                pair_counts[pair] += weights[i]
                where[pair].add(i)
        merges: list[tuple[str, str]] = []
        made = set(SPECIALS) | set(_BYTE_CHARACTERS)
        while len(SPECIALS) + 256 + len(merges) < size:
            best = max(pair_counts, key=lambda p: (pair_counts[p], p))
            if "".join(best) in made:  # two ways to one token: the vocabulary keeps the first
                del pair_counts[best]
                continue
            merges.append(best)
            made.add("".join(best))
            for i in where.pop(best):
                word = words[i]
                for pair in zip(word, word[1:]):
                    pair_counts[pair] -= weights[i]
                words[i] = word = _merge(word, best)
                for pair in zip(word, word[1:]):
                    pair_counts[pair] += weights[i]
                    where[pair].add(i)
            pair_counts.pop(best, None)
        return Tokenizer(merges)

    def encode(self, text: str) -> list[int]:
        """The ids of a text in which special tokens may be written out; adds none."""
        ids: list[int] = []
        for part in _SPECIAL.split(text):
            if part in SPECIALS:
                ids.append(self.vocabulary[part])
            else:
                for piece in pieces(part):
                    if piece not in self._cache:
                        self._cache[piece] = self._encode_piece(piece)
                    ids += self._cache[piece]
        return ids

    def _encode_piece(self, piece: str) -> list[int]:
        word = [_BYTE_CHARACTERS[b] for b in piece.encode()]
        while len(word) > 1:
            best = min(zip(word, word[1:]), key=lambda pair: self._rank.get(pair, len(self._rank)))
            if best not in self._rank:
                break
            word = _merge(word, best)
        return [self.vocabulary[token] for token in word]

    def decode(self, ids: Iterable[int]) -> str:
        """The text of the ids, special tokens left out."""
        characters = "".join(self.tokens[i] for i in ids if i >= len(SPECIALS))
        return bytes(_CHARACTER_BYTES[c] for c in characters).decode(errors="replace")

    def save(self, path: Path) -> None:
        """Writes the Hugging Face `tokenizer.json`."""
        bos = {"SpecialToken": {"id": BOS, "type_id": 0}}
        path.write_text(json.dumps({
            "version": "1.0",
            "truncation": None,
            "padding": None,
            "added_tokens": [
                {"id": i, "content": token, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False,
                 "special": True} for i, token in enumerate(SPECIALS)
            ],
            "normalizer": None,
            "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
                {"type": "Digits", "individual_digits": True},
                {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True},
            ]},
            "post_processor": {
                "type": "TemplateProcessing",
                "single": [bos, {"Sequence": {"id": "A", "type_id": 0}}],
                "pair": [bos, {"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
                "special_tokens": {BOS: {"id": BOS, "ids": [self.vocabulary[BOS]], "tokens": [BOS]}},
            },
            "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
            "model": {
                "type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
                "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False, "ignore_merges": False,
                "vocab": self.vocabulary, "merges": [f"{a} {b}" for a, b in self.merges],
            },
        }, ensure_ascii=False, indent=None, separators=(",", ":")) + "\n", encoding="utf-8")

    @staticmethod
    def load(path: Path) -> "Tokenizer":
        """Reads a file that `save` wrote."""
        stored = json.loads(path.read_text(encoding="utf-8"))
        return Tokenizer([tuple(merge.split(" ")) for merge in stored["model"]["merges"]])


def _merge(word: list[str], pair: tuple[str, str]) -> list[str]:
    merged: list[str] = []
    i = 0
    while i < len(word):
        if i + 1 < len(word) and (word[i], word[i + 1]) == pair:
            merged.append(word[i] + word[i + 1])
            i += 2
        else:
            merged.append(word[i])
            i += 1
    return merged
