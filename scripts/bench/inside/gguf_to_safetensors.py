"""Writes a GGUF file's weights and tokeniser out in bfloat16 as the Hugging Face library has them, quantised values
expanded. Run by vLLM's own Python: gguf_to_safetensors.py FILE FOLDER"""

import sys
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer


def main():
    file, folder = Path(sys.argv[1]), Path(sys.argv[2])
    source = {"pretrained_model_name_or_path": str(file.parent), "gguf_file": file.name}
    tokenizer = AutoTokenizer.from_pretrained(**source)
    read = AutoModelForCausalLM.from_pretrained(**source, dtype=torch.bfloat16)
    # A plain model of the same shape, for the one that was read is marked as quantised.
    config = type(read.config)(
        **{name: value for name, value in read.config.to_dict().items() if name != "quantization_config"}
    )
    plain = type(read)(config).to(torch.bfloat16)
    plain.load_state_dict(read.state_dict())
    partial = folder.with_name(folder.name + ".partial")
    tokenizer.save_pretrained(partial)
    plain.save_pretrained(partial)
    partial.rename(folder)


if __name__ == "__main__":
    main()
