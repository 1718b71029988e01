"""The LLaMA architecture in PyTorch, with the parameter names that Hugging Face uses, and its export."""

import json
import math
import struct
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

import tokenizer as tk


@dataclass(frozen=True)
class Shape:
    """Sizes of the model; the query heads share key/value heads in groups."""

    vocabulary: int = 2048
    hidden: int = 192
    inner: int = 512
    layers: int = 4
    heads: int = 6
    kv_heads: int = 2
    context: int = 1024
    rope_theta: float = 10000.0
    norm_epsilon: float = 1e-5

    @property
    def head_size(self) -> int:
        return self.hidden // self.heads


class Attention(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.q_proj = nn.Linear(shape.hidden, shape.heads * shape.head_size, bias=False)
        self.k_proj = nn.Linear(shape.hidden, shape.kv_heads * shape.head_size, bias=False)
        self.v_proj = nn.Linear(shape.hidden, shape.kv_heads * shape.head_size, bias=False)
        self.o_proj = nn.Linear(shape.heads * shape.head_size, shape.hidden, bias=False)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, cache: "Cache | None") -> Tensor:  # x: [batch, tokens, hidden]
        batch, tokens, _ = x.shape
        q, k, v = (p(x).view(batch, tokens, -1, self.shape.head_size).transpose(1, 2)
                   for p in (self.q_proj, self.k_proj, self.v_proj))  # [batch, heads, tokens, headSize]
        if x.device.type == "cpu":  # the backward pass of attention in bfloat16 is six times slower there
            q, k, v = q.float(), k.float(), v.float()
        q, k = _rotate(q, cos, sin), _rotate(k, cos, sin)
        if cache is not None:
            k, v = cache.extend(self, k, v)
        with torch.autocast("cpu", enabled=False):  # a lone token sees everything before it: nothing to mask
            y = F.scaled_dot_product_attention(q, k, v, is_causal=tokens > 1, enable_gqa=True)
        return self.o_proj(y.transpose(1, 2).reshape(batch, tokens, -1))


def _rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotary position embedding in the half-split order of Hugging Face checkpoints."""
    half = x.shape[-1] // 2
    turned = torch.cat((-x[..., half:], x[..., :half]), dim=-1)
    return x * cos.to(x.dtype) + turned * sin.to(x.dtype)


class Cache:
    """Keys and values of one sequence, for generating: first the whole prompt, then token by token."""

    def __init__(self) -> None:
        self.tokens = 0
        self._kept: dict[nn.Module, tuple[Tensor, Tensor]] = {}

    def extend(self, layer: nn.Module, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        if layer in self._kept:
            k, v = (torch.cat(pair, dim=2) for pair in zip(self._kept[layer], (k, v)))
        self._kept[layer] = k, v
        return k, v


class FeedForward(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(shape.hidden, shape.inner, bias=False)
        self.up_proj = nn.Linear(shape.hidden, shape.inner, bias=False)
        self.down_proj = nn.Linear(shape.inner, shape.hidden, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class Layer(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.input_layernorm = nn.RMSNorm(shape.hidden, eps=shape.norm_epsilon)
        self.self_attn = Attention(shape)
        self.post_attention_layernorm = nn.RMSNorm(shape.hidden, eps=shape.norm_epsilon)
        self.mlp = FeedForward(shape)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, cache: Cache | None) -> Tensor:
        x = x + self.self_attn(self.input_layernorm(x), cos, sin, cache)
        return x + self.mlp(self.post_attention_layernorm(x))


class Llama(nn.Module):
    """A decoder whose output projection is the embedding table."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.embed_tokens = nn.Embedding(shape.vocabulary, shape.hidden)
        self.layers = nn.ModuleList(Layer(shape) for _ in range(shape.layers))
        self.norm = nn.RMSNorm(shape.hidden, eps=shape.norm_epsilon)
        frequencies = shape.rope_theta ** -(torch.arange(0, shape.head_size, 2).float() / shape.head_size)
        angles = torch.outer(torch.arange(shape.context).float(), frequencies).repeat(1, 2)  # [context, headSize]
        self.register_buffer("cos", angles.cos(), persistent=False)
        self.register_buffer("sin", angles.sin(), persistent=False)
        for name, parameter in self.named_parameters():
            if parameter.dim() == 2:
                deep = name.endswith(("o_proj.weight", "down_proj.weight"))
                nn.init.normal_(parameter, std=0.02 / math.sqrt(2 * shape.layers) if deep else 0.02)

    def hidden_states(self, ids: Tensor, cache: Cache | None = None) -> Tensor:
        """ids [batch, tokens] to normalised states [batch, tokens, hidden]."""
        past = cache.tokens if cache else 0
        places = slice(past, past + ids.shape[1])
        x = self.embed_tokens(ids)
        for layer in self.layers:
            x = layer(x, self.cos[places], self.sin[places], cache)
        if cache:
            cache.tokens += ids.shape[1]
        return self.norm(x)

    def logits(self, states: Tensor) -> Tensor:
        """states [..., hidden] to logits [..., vocabulary]."""
        return F.linear(states, self.embed_tokens.weight)


# --- the folder -------------------------------------------------------------------------------------------------

CHAT_TEMPLATE = (
    "{{- bos_token }}"
    "{%- for message in messages %}"
    "{%- if message['role'] not in ['system', 'user', 'assistant'] %}"
    "{{- raise_exception('Unknown role ' + message['role'] + ': penstock-tiny knows system, user and assistant') }}"
    "{%- endif %}"
    "{{- '<|' + message['role'] + '|>' + message['content'] | trim + '<|end|>' }}"
    "{%- endfor %}"
    "{%- if add_generation_prompt %}{{- '<|assistant|>' }}{%- endif %}"
)


def render(messages: list, add_generation_prompt: bool) -> str:
    """What the chat template gives, for training and evaluation."""
    text = tk.BOS + "".join(f"<|{m.role}|>{m.content.strip()}{tk.END}" for m in messages)
    return text + (tk.ASSISTANT if add_generation_prompt else "")


def export(model: Llama, tokenizer: tk.Tokenizer, folder: Path) -> None:
    """Writes a Hugging Face model folder with float16 weights."""
    folder.mkdir(parents=True, exist_ok=True)
    shape, ids = model.shape, tokenizer.vocabulary
    _write_json(folder / "config.json", {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "torch_dtype": "float16",
        "vocab_size": shape.vocabulary, "hidden_size": shape.hidden, "intermediate_size": shape.inner,
        "num_hidden_layers": shape.layers, "num_attention_heads": shape.heads, "num_key_value_heads": shape.kv_heads,
        "head_dim": shape.head_size, "max_position_embeddings": shape.context, "rms_norm_eps": shape.norm_epsilon,
        "rope_theta": shape.rope_theta, "rope_scaling": None, "hidden_act": "silu", "attention_bias": False,
        "mlp_bias": False, "attention_dropout": 0.0, "initializer_range": 0.02, "pretraining_tp": 1,
        "tie_word_embeddings": True, "use_cache": True, "bos_token_id": ids[tk.BOS], "eos_token_id": ids[tk.END],
    })
    _write_json(folder / "generation_config.json", {
        "bos_token_id": ids[tk.BOS], "eos_token_id": [ids[tk.END]], "do_sample": True, "temperature": 0.7, "top_p": 0.9,
        "max_length": shape.context,
    })
    _write_json(folder / "tokenizer_config.json", {
        "tokenizer_class": "PreTrainedTokenizerFast", "bos_token": tk.BOS, "eos_token": tk.END, "add_bos_token": True,
        "add_eos_token": False, "clean_up_tokenization_spaces": False, "model_max_length": shape.context,
        "chat_template": CHAT_TEMPLATE,
    })
    tokenizer.save(folder / "tokenizer.json")
    write_safetensors(folder / "model.safetensors",
                      {f"model.{name}": p.detach().half() for name, p in model.named_parameters()})


def _write_json(path: Path, value: dict) -> None:
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")


def write_safetensors(path: Path, tensors: dict[str, Tensor]) -> None:
    """The safetensors format: header length (8 bytes, little endian), JSON header, then the data."""
    header: dict[str, dict] = {"__metadata__": {"format": "pt"}}
    offset = 0
    for name, tensor in tensors.items():
        end = offset + tensor.numel() * 2
        header[name] = {"dtype": "F16", "shape": list(tensor.shape), "data_offsets": [offset, end]}
        offset = end
    encoded = json.dumps(header, separators=(",", ":")).encode()
    encoded += b" " * (-len(encoded) % 8)
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(encoded)) + encoded)
        for tensor in tensors.values():
            file.write(tensor.contiguous().numpy().astype("<f2").tobytes())


def load(folder: Path) -> tuple[Llama, tk.Tokenizer]:
    """Reads an exported folder back, as float32."""
    config = json.loads((folder / "config.json").read_text())
    shape = Shape(config["vocab_size"], config["hidden_size"], config["intermediate_size"], config["num_hidden_layers"],
                  config["num_attention_heads"], config["num_key_value_heads"], config["max_position_embeddings"],
                  config["rope_theta"], config["rms_norm_eps"])
    data = (folder / "model.safetensors").read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8:8 + length])
    model = Llama(shape)
    state = {}
    for name, entry in header.items():
        if name != "__metadata__":
            begin, end = (8 + length + o for o in entry["data_offsets"])
            values = torch.frombuffer(bytearray(data[begin:end]), dtype=torch.float16)
            state[name.removeprefix("model.")] = values.view(entry["shape"]).float()
    model.load_state_dict(state)
    return model.eval(), tk.Tokenizer.load(folder / "tokenizer.json")
