"""Stage preprocess: data/raw/<key> -> train, val and test tensors in data/processed/<key>."""

from pathlib import Path

from pipeline.core import params, rooms, schema, stage, storage
from pipeline.core.files import replacing


def main(key: str) -> None:
    """Split, check and write ``datasets.<key>``."""
    from pipeline.preprocessing.preparing import prepare

    content = params.read()
    path = f"datasets.{key}"
    dataset = rooms.load("datasets", params.at(content, f"{path}.kind"), f"{path}.kind")
    options = schema.parse(dataset.Options, params.at(content, path), path)
    loaded = dataset.load(Path("data/raw") / key, options)
    splits, meta = prepare(path, loaded, dataset.spec(options), options.val_fraction, params.at(content, "seed"))
    with replacing(Path("data/processed") / key) as folder:
        folder.mkdir()
        storage.write(folder, splits, meta)

    print(f"{key}: " + ", ".join(f"{meta.num_examples(split):,} {split}" for split in splits), end="")
    done = "left out" if len(loaded) > sum(map(len, splits.values())) else "kept"
    print(f"; {meta.num_shared:,} training examples {done} that are test examples too" if meta.num_shared else "")


if __name__ == "__main__":
    stage.run(main)
