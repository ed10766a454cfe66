package org.bergfried.ops.bench;

/// An engine that has a model open and can be timed.
interface Subject extends AutoCloseable {
    /// For the table.
    String name();

    /// Version and threads, for people.
    String description();

    /// From nothing to a model that answers.
    double loadSeconds();

    /// Resident memory of its process now.
    long residentBytes();

    /// Tokens per second that a prompt of so many random tokens is read with, the first draw included.
    double prefillRate(int tokens);

    /// Tokens per second of so many streams together while all of them decode.
    ///
    /// @param tokens of each stream.
    double decodeRate(int streams, int tokens);

    /// Ends processes that it has started, in the middle of whatever they do.
    default void endProcesses() {}

    @Override
    void close();
}
