package org.bergfried.router.api.http;

import org.bergfried.router.api.ChatCall;

/// The body of a chat completion.
///
/// @param call what is asked.
/// @param stream whether the answer is streamed.
/// @param includeUsage whether the stream ends with the usage.
record ChatRequest(ChatCall call, boolean stream, boolean includeUsage) {}
