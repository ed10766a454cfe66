package org.bergfried.router.chat;

/// A tool call of an earlier answer, as a client sends it back.
///
/// @param id the call's id
/// @param name the function
/// @param arguments JSON as the model wrote it, which may be broken
public record ToolCall(String id, String name, String arguments) {}
