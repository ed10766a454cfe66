/// Everything between messages and token ids, and back: the chat template, the tokenizer, and the parser that turns the
/// tokens of an answer into reasoning, content and tool calls.
///
/// Called by `router.api` and `router.session` for requests, by `router.failover` to replay a token log, and by the
/// command line's `model render` and `model tokenize`. All of it is a function of its arguments: the same tokens give
/// the
/// same deltas on every router, whenever they arrive.
///
/// It must not know gRPC, HTTP, workers or shared state.
@NullMarked
package org.bergfried.router.chat;

import org.jspecify.annotations.NullMarked;
