"""The recipe: one YAML file that says what goes in, what is measured, what is kept and within which limits.

These models only describe and check. Reading the file, with its lines, is `curate.recipes`; applying rules is
`filters.rules`. Fields marked operational change how fast or how politely a job runs, never what it writes; they are
left out of fingerprints.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from schemas.rules import DocumentRule, EarlyDocumentRule, ImageRule, NodeRule
from schemas.section import OPERATIONAL, Section
from schemas.statuses import ClipText

_MEBI = 1 << 20


class InputSettings(Section):
    """How input files are cut into partitions."""

    split_bytes: Literal["auto"] | Annotated[int, Field(ge=0)] = Field(
        default="auto",
        description="Length of a slice of a WARC; 0: never split; auto: a sixteenth of the file, within 2 and 64 MiB.",
    )


class PerplexitySettings(Section):
    """Models by which the signal perplexity is measured: KenLM's on the pieces of SentencePiece's."""

    model: str = Field(description="Path of a KenLM model (ARPA or binary).")
    sentencepiece: str = Field(description="Path of the SentencePiece model that its training text was cut with.")


class ExtractSettings(Section):
    """Caps that hold before anything is parsed, and what is measured only if it is asked for."""

    max_page_bytes: int = Field(default=16 * _MEBI, ge=1, description="Decoded HTML above this is a status.")
    max_nodes: int = Field(default=250_000, ge=1, description="Tags of a page, counted before it is parsed.")
    max_depth: int = Field(default=1_000, ge=1, description="Depth of nested elements.")
    max_pdf_bytes: int = Field(
        default=50_000_000, ge=0, description="Larger PDFs are a status; 50 MB is MINT-1T's cap."
    )
    warc_images: bool = Field(default=True, description="Use images that the WARC holds instead of the network.")
    perplexity: PerplexitySettings | None = Field(default=None, description="Needs curate[perplexity].")
    alignment_prior: str | None = Field(default=None, description="Path of a model that `curate prior` has trained.")


class ScreenRules(Section):
    """Rules before fetch: on what extract measured."""

    document: tuple[EarlyDocumentRule, ...] = ()


class ConsentSettings(Section):
    """Which ways of saying no are honoured. Each decision is recorded per image."""

    robots_txt: bool = True
    directives: tuple[str, ...] = ("noai", "noimageai")
    tdm_reservation: bool = True
    block_hosts: tuple[str, ...] = Field(default=(), description="Host names; their subdomains are blocked too.")


class ResizeSettings(Section):
    """Resizing by img2dataset's Resizer, with its terms."""

    mode: Literal["no", "border", "keep_ratio", "keep_ratio_largest", "center_crop"] = "keep_ratio_largest"
    size: int = Field(default=1024, ge=1)
    only_if_bigger: bool = True
    encode_format: Literal["jpg", "png", "webp"] = "jpg"
    encode_quality: int = Field(default=95, ge=0, le=100, description="For png: the compression level, 0 to 9.")

    @model_validator(mode="after")
    def _png_has_levels(self) -> Self:
        if self.encode_format == "png" and self.encode_quality > 9:
            raise ValueError(f"encode_quality of png is a compression level from 0 to 9, not {self.encode_quality}")
        return self


class FetchSettings(Section):
    """How images are fetched. Byte and pixel caps hold before anything is decoded."""

    enabled: bool = Field(default=True, description="False takes only images that the WARC holds.")
    user_agent: str = "curate/0.1 (image fetcher for dataset curation; robots.txt token: curate)"
    robots_token: str = "curate"  # noqa: S105 - the name that robots.txt knows us by
    allow_private_addresses: bool = False
    max_bytes: int = Field(default=20_000_000, ge=1)
    max_pixels: int = Field(default=64_000_000, ge=1)
    max_redirects: int = Field(default=5, ge=0)
    consent: ConsentSettings = ConsentSettings()
    resize: ResizeSettings | None = None
    deadline_seconds: float = Field(default=30, gt=0, json_schema_extra=OPERATIONAL)
    retries: int = Field(default=2, ge=0, json_schema_extra=OPERATIONAL)
    max_retry_after_seconds: float = Field(default=10, ge=0, json_schema_extra=OPERATIONAL)
    max_crawl_delay_seconds: float = Field(default=2, ge=0, json_schema_extra=OPERATIONAL)
    concurrency: int = Field(default=32, ge=1, json_schema_extra=OPERATIONAL)
    per_host_concurrency: int = Field(default=4, ge=1, json_schema_extra=OPERATIONAL)
    per_host_rate: float = Field(
        default=10,
        gt=0,
        json_schema_extra=OPERATIONAL,
        description="Requests a second to one host, over all workers of the job.",
    )
    host_failures: int = Field(
        default=8,
        ge=1,
        json_schema_extra=OPERATIONAL,
        description="A host that could not be reached this often in a row is given up.",
    )


class MeasureSettings(Section):
    """What is measured on the pixels of images, beyond what costs next to nothing."""

    nsfw: bool = Field(default=False, description="Needs the extra nsfw; some 23 ms an image.")


class ScoreSettings(Section):
    """Similarity of images and texts by a CLIP model of open_clip. Needs curate[score]."""

    model: str = Field(
        description="A model of open_clip, hf-hub:ORG/NAME, a folder with open_clip_config.json and weights, or "
        "emoji-clip: it comes with curate and knows emoji only, to try things out."
    )
    pretrained: str | None = Field(default=None, description="Of a model of open_clip: its tag, or a checkpoint file.")
    texts: tuple[ClipText, ...] = Field(
        default=tuple(ClipText), min_length=1, description="What an image is compared with: the best of these counts."
    )
    window_characters: int = Field(
        default=600, ge=1, description="Of texts before and behind an image that are looked at, up to a sentence's end."
    )
    max_sentences: int = Field(default=256, ge=1, description="Sentences of a page that an image is compared with.")
    precision: Literal["auto", "fp32", "bf16", "fp16"] = Field(
        default="auto", description="auto: bf16 on a GPU that has it, else fp16; fp32 on a CPU."
    )
    batch_images: int = Field(
        default=0, ge=0, json_schema_extra=OPERATIONAL, description="At once; 0: 256 on a GPU, 64 on a CPU."
    )
    batch_texts: int = Field(
        default=0, ge=0, json_schema_extra=OPERATIONAL, description="At once; 0: 1,024 on a GPU, 32 on a CPU."
    )
    accelerator: str | None = Field(
        default=None,
        json_schema_extra=OPERATIONAL,
        description="For runners that give machines by stage, Dataflow's: type:nvidia-l4;count:1;install-nvidia-driver",
    )
    decode_threads: int = Field(
        default=0, ge=0, json_schema_extra=OPERATIONAL, description="0: a thread for every core that no worker has."
    )


class BootstrapSettings(Section):
    """An adapter on the scorer's embeddings, trained on pairs of this corpus that it is surest of, if that helps."""

    top: float = Field(default=0.5, gt=0, lt=1, description="Share of pairs, by score, that a round is trained on.")
    rounds: int = Field(default=3, ge=1, description="At most; a round that is no gain ends it.")
    pairs: int = Field(
        default=50_000, ge=100, description="At most, of whole pages that are drawn by a hash of their id."
    )
    seeds: int = Field(
        default=5, ge=2, description="How often adapters are trained, each time without another fold of the pages."
    )


class SelectRules(Section):
    """Rules on everything that was measured. Node and image rules first; document rules see what they kept."""

    node: tuple[NodeRule, ...] = ()
    image: tuple[ImageRule, ...] = ()
    document: tuple[DocumentRule, ...] = ()


class PiiSettings(Section):
    """What takes the place of personal data in texts, alternative texts, captions and titles; null leaves it."""

    email: str | None = None
    ip: str | None = None
    phone: str | None = None
    card: str | None = None
    iban: str | None = None

    @property
    def placeholders(self) -> dict[str, str]:
        """Placeholders of the kinds that are replaced."""
        return {kind: text for kind, text in self.model_dump().items() if text is not None}


class NearSettings(Section):
    """Near-duplicate texts by MinHash and banding, each candidate pair then checked by its Jaccard similarity.

    Similarity is of the sets of word n-grams. 216 permutations in 24 bands find 99.8 % of the pairs at 0.85 and 96.8 %
    at 0.8 (`curate recipes --recall`); what is found below `jaccard` is not taken.
    """

    jaccard: float = Field(default=0.8, gt=0, le=1, description="Least similarity of two texts that are copies.")
    ngram: int = Field(default=5, ge=1, le=32, description="Words in an n-gram.")
    permutations: int = Field(default=216, ge=1, le=4096)
    bands: int = Field(default=24, ge=1, description="Of permutations / bands values each, all of which must agree.")

    @model_validator(mode="after")
    def _bands_are_equal(self) -> Self:
        if self.permutations % self.bands:
            raise ValueError(f"permutations {self.permutations} cannot be cut into {self.bands} equal bands")
        return self


class ParagraphSettings(Section):
    """Paragraphs that a host repeats: navigation, notices, teasers."""

    copies: int = Field(default=3, ge=2, description="A host that shows a paragraph at least this often repeats it.")
    counted: Literal["documents", "occurrences"] = Field(
        default="documents", description="What is counted; OBELICS counts occurrences, also inside one document."
    )
    keep: Literal["first", "none"] = Field(default="first", description="OBELICS keeps none.")
    min_words: int = Field(default=5, ge=1, description="Shorter ones (headings, labels) are left alone.")


class TextDuplicates(Section):
    """Which copies of documents and paragraphs are found before any image is fetched, among what passes the screen."""

    url: bool = Field(default=False, description="Captures of one URL: the latest stays.")
    exact: bool = Field(default=False, description="Equal words in equal order.")
    near: NearSettings | None = None
    survivor: Literal["quality", "words", "images", "language_score", "latest"] = Field(
        default="quality",
        description="Of exact and near copies that with the highest value stays, then the smallest id. quality: "
        "language_score in tenths, then words, so that a page in one language goes before its half-translated copy.",
    )
    image_sets: bool = Field(default=False, description="Documents with the same set of image URLs: the latest stays.")
    paragraphs: ParagraphSettings | None = None
    max_image_documents: int | None = Field(
        default=None, ge=1, description="Images whose URL is in more documents than this are never fetched."
    )


class PictureDuplicates(Section):
    """Copies of pictures among those that were fetched; the rule on `copies` decides what follows."""

    perceptual_distance: int | None = Field(
        default=None, ge=0, le=8, description="Bits by which perceptual hashes of copies may differ; null: equal files."
    )
    in_document: Literal["exact", "perceptual"] | None = Field(
        default=None,
        description="Of copies inside a document only the first stays; exact: of equal files. Similar pictures in one "
        "document are often there to be compared.",
    )


class SemanticDuplicates(Section):
    """Pictures of nearly the same embedding, as SemDeDup's: compared inside clusters, found by the scorer's embeddings.

    A rule on `semantic_similarity` says how near is too near; of those the better picture stays.
    """

    pictures_per_cluster: int = Field(
        default=8192, ge=16, description="On average; more finds pairs that a border would part, and takes longer."
    )


class DedupSettings(Section):
    """Duplicates: of documents and paragraphs (`text`) before fetch, of pictures (`images`, `semantic`) after it."""

    text: TextDuplicates = TextDuplicates()
    images: PictureDuplicates = PictureDuplicates()
    semantic: SemanticDuplicates | None = Field(default=None, description="Needs score.model.")


class Benchmark(Section):
    """An evaluation set that must not be in the data: texts, images or both."""

    name: str = Field(min_length=1)
    texts: str | None = Field(
        default=None, description="A text a line, or JSON lines, or Parquet: every string counts."
    )
    ngram: int = Field(
        default=13, ge=1, le=32, description="A document that shares this many words in a row is dropped."
    )
    images: str | None = Field(default=None, description="Perceptual hashes (16 hex characters a line), or a folder.")
    distance: int = Field(default=4, ge=0, le=16, description="Bits by which perceptual hashes of copies may differ.")

    @model_validator(mode="after")
    def _has_something(self) -> Self:
        if self.texts is None and self.images is None:
            raise ValueError(f"benchmark {self.name!r} has neither texts nor images")
        return self


class BalanceSettings(Section):
    """Caps on concepts, as MetaCLIP's: a document of frequent ones stays with a probability, by a hash of its id."""

    concepts: str = Field(description="A concept a line; found in texts and alternative texts as whole words.")
    cap: int = Field(default=20_000, ge=1, description="Documents that a concept may claim for itself.")


class PackSettings(Section):
    """How shards are cut and what a sample's texts look like."""

    shard_samples: int = Field(default=10_000, ge=1)
    shard_bytes: int = Field(default=1 << 30, ge=1)
    placement: Literal["dom", "matched"] = Field(
        default="dom",
        description="dom: images where the page has them; matched: each before its most similar sentence, as in MMC4.",
    )
    merge_texts: bool = Field(default=True, description="Join text nodes with no image between them by a blank line.")
    pii: PiiSettings | None = Field(default=None, description="Placeholders for personal data; null replaces nothing.")


class Recipe(Section):
    """A whole recipe. Every field has a default, so that an empty recipe keeps everything."""

    name: str = "unnamed"
    description: str = ""
    inputs: tuple[str, ...] = ()
    input: InputSettings = InputSettings()
    extract: ExtractSettings = ExtractSettings()
    screen: ScreenRules = ScreenRules()
    dedup: DedupSettings = DedupSettings()
    decontaminate: tuple[Benchmark, ...] = ()
    balance: BalanceSettings | None = None
    fetch: FetchSettings = FetchSettings()
    measure: MeasureSettings = MeasureSettings()
    score: ScoreSettings | None = None
    bootstrap: BootstrapSettings | None = None
    ocr: bool = Field(
        default=False,
        description="Read what is written in pictures, for text_overlap. Needs curate[ocr] and score.",
    )
    select: SelectRules = SelectRules()
    pack: PackSettings = PackSettings()
    max_error_rate: float = Field(
        default=0.01,
        ge=0,
        le=1,
        json_schema_extra=OPERATIONAL,
        description="Share of items that may fail by our fault.",
    )

    @model_validator(mode="after")
    def _have_what_a_scorer_gives(self) -> Self:
        wanting = {"dedup.semantic": self.dedup.semantic is not None, "ocr": self.ocr}
        for name, wants in wanting.items():
            if wants and self.score is None:
                raise ValueError(f"{name} compares what a scorer gives: give score.model, or leave it out")
        return self

    @model_validator(mode="after")
    def _has_the_prior(self) -> Self:
        rules = (*self.screen.document, *self.select.document)
        named = {bound.signal for rule in rules for bound in (rule, rule.when) if bound is not None}
        if "alignment_prior" in named and self.extract.alignment_prior is None:
            raise ValueError(
                "a rule on alignment_prior needs what measures it: give extract.alignment_prior, or leave the rule out"
            )
        return self

    @field_validator("bootstrap")
    @classmethod
    def _adapts_a_scorer(cls, bootstrap: BootstrapSettings | None, info: ValidationInfo) -> BootstrapSettings | None:
        if bootstrap is not None and info.data.get("score") is None:
            raise ValueError("bootstrap needs a scorer to begin with: give score.model, or leave bootstrap out")
        return bootstrap

    @field_validator("pack")
    @classmethod
    def _places_by_sentences(cls, pack: PackSettings, info: ValidationInfo) -> PackSettings:
        score = info.data.get("score")
        if pack.placement == "matched" and (score is None or ClipText.SENTENCE not in score.texts):
            raise ValueError(
                "placement matched compares with sentences: give score.model, with sentence in score.texts"
            )
        return pack

    @field_validator("select")
    @classmethod
    def _bounds_what_is_measured(cls, select: SelectRules, info: ValidationInfo) -> SelectRules:
        measure, score, dedup = (info.data.get(section) for section in ("measure", "score", "dedup"))
        named = {bound.signal for rule in select.image for bound in (rule, rule.when) if bound is not None}
        measured = {
            "nsfw": (measure is None or measure.nsfw, "set measure.nsfw to true"),
            "clip_score": (score is not None, "give score.model"),
            "alignment": (info.data.get("bootstrap") is not None, "give bootstrap"),
            "text_overlap": (bool(info.data.get("ocr")), "set ocr to true"),
            "semantic_similarity": (dedup is None or dedup.semantic is not None, "give dedup.semantic"),
        }
        for signal, (is_measured, how) in measured.items():
            if signal in named and not is_measured:
                raise ValueError(f"a rule on {signal} needs what measures it: {how}, or leave the rule out")
        return select
