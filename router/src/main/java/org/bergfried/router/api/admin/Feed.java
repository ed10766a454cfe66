package org.bergfried.router.api.admin;

/// The client's end of a stream. Its methods are called by one thread and may wait for the client.
///
/// @param <R> the responses.
public interface Feed<R> {
    /// Gives the next response; does nothing if the client has gone.
    void send(R response);

    /// Nothing has happened for a while: lets the connection be seen to live.
    void keepAlive();

    /// Whether the client still listens and the router still serves.
    boolean isOpen();
}
