"""The PyTorch side of exchange.cpp: reads the weights that reel has trained, compares the logits, trains on, and writes
weights and logits back.   exchange.py IN OUT"""
import importlib.util
import json
import sys

import torch

TYPES = {"F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16,
         "I64": torch.int64, "BOOL": torch.bool}


def load(path):
    data = open(path, "rb").read()
    begin = 8 + int.from_bytes(data[:8], "little")
    tensors = {}
    for name, entry in json.loads(data[8:begin]).items():
        first, last = (begin + offset for offset in entry["data_offsets"])
        tensors[name] = torch.frombuffer(bytearray(data[first:last]), dtype=TYPES[entry["dtype"]]).view(entry["shape"])
    return tensors


def save(path, tensors):
    names = {dtype: name for name, dtype in TYPES.items()}
    header, body = {}, b""
    for name, tensor in sorted(tensors.items(), key=lambda item: -item[1].element_size()):
        data = bytes(tensor.contiguous().view(-1).view(torch.uint8).tolist()) if tensor.dtype != torch.bool else bytes(tensor.tolist())
        header[name] = {"dtype": names[tensor.dtype], "shape": list(tensor.shape), "data_offsets": [len(body), len(body) + len(data)]}
        body += data
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    open(path, "wb").write(len(text).to_bytes(8, "little") + text + body)


def main(source, target):
    file = load(source)
    if importlib.util.find_spec("safetensors"):  # the format's own library, where it is
        import safetensors.torch
        theirs = safetensors.torch.load_file(source)
        assert theirs.keys() == file.keys() and all(torch.equal(theirs[name], file[name]) for name in file)
    for name, dtype in TYPES.items():
        (tensor,) = (t for n, t in file.items() if n.startswith("of ") and t.dtype == dtype)
        assert torch.equal(tensor, torch.tensor([-1.5, 0, 2, 1024]).to(dtype)), name
    model = torch.nn.Sequential(torch.nn.Linear(2, 8), torch.nn.Tanh(), torch.nn.Linear(8, 3)).double()
    model.load_state_dict({name: file[name] for name in model.state_dict()})
    x, logits = file["x"], model(file["x"])
    far = (logits - file["logits"]).abs().max().item()
    print("largest difference", far)
    assert far < 1e-12
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    torch.nn.functional.cross_entropy(logits, logits.detach().flip(1).argmax(1)).backward()
    optimizer.step()
    with torch.no_grad():
        assert (model(x) - logits).abs().max() > 1e-3
        save(target, {**file, **model.state_dict(), "logits": model(x)})


main(*sys.argv[1:])
