package org.bergfried.contract;

/// The bounds on everything that comes from outside, each with its reason. They are constants and not settings:
/// both ends of a stream must agree on them, and a limit that an operator can lift is none.
public final class Limits {
    /// Largest body of an HTTP request and largest gRPC request from a client, in bytes: a prompt of a million
    /// tokens is about 4 MiB of English text.
    public static final int REQUEST_BODY_BYTES = 4 << 20;

    /// Deepest nesting of JSON; real tool schemas stay below 20, and parsers recurse.
    public static final int JSON_DEPTH = 64;

    /// Most messages of one chat; the template is rendered over all of them.
    public static final int MESSAGES = 4096;

    /// Most tokens of a prompt, whatever the model's context: sizes the arrays of a Generate request (4 bytes
    /// each).
    public static final int PROMPT_TOKENS = 1 << 20;

    /// Most tokens of one answer; the token log of a generation stays below 4 MiB.
    public static final int ANSWER_TOKENS = 1 << 20;

    /// Most stop strings; each is searched for after every token.
    public static final int STOP_STRINGS = 16;

    /// Longest stop string in characters; so much text may be held back while a match is possible.
    public static final int STOP_STRING_CHARS = 256;

    /// Most stop ids; models have a handful.
    public static final int STOP_IDS = 64;

    /// Most tools of one request.
    public static final int TOOLS = 128;

    /// Longest identifier (generation, worker, tenant, model, plan) in characters; they become keys, labels and
    /// log fields.
    public static final int ID_CHARS = 128;

    /// Largest frame between workers in bytes; larger batches are split, so a frame never blocks a stream for
    /// long.
    public static final int FRAME_BYTES = 1 << 20;

    /// Largest piece of a model card in bytes.
    public static final int CARD_PIECE_BYTES = 256 << 10;

    /// Largest model card in bytes: the largest known tokenizer.json has 34 MB.
    public static final int CARD_BYTES = 128 << 20;

    /// Largest message on any gRPC channel in bytes: a body or a prompt at its limit and some room for the fields
    /// around.
    public static final int MESSAGE_BYTES = 8 << 20;

    /// Largest headers of a call in bytes; tokens of identity providers reach 8 KiB.
    public static final int HEADER_BYTES = 16 << 10;

    /// Flow-control window of a connection and of a stream in bytes; a smaller one stalls frames of 1 MiB.
    public static final int FLOW_WINDOW_BYTES = 8 << 20;

    /// Most workers of a cluster.
    public static final int WORKERS = 1024;

    /// Most mixture layers of a model (DeepSeek-V3 has 58, Kimi K2 60).
    public static final int MOE_LAYERS = 256;

    /// Most routed experts of a layer (Kimi K2 has 384).
    public static final int EXPERTS_PER_LAYER = 1024;

    /// Most experts chosen for one token: rule F of the arithmetic sums at most 2^6 terms.
    public static final int EXPERTS_PER_TOKEN = 64;

    /// Most replicas of one expert.
    public static final int REPLICAS = 16;

    /// Seconds for which a generation can be resumed after its end.
    public static final int RESUME_AFTER_END_SECONDS = 120;

    /// Seconds for which a generation can be resumed after its start, however long it runs.
    public static final int RESUME_AFTER_START_SECONDS = 6 * 3600;

    private Limits() {}
}
