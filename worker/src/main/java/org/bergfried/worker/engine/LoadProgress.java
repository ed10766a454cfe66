package org.bergfried.worker.engine;

/// Hears how loading goes on, on any thread.
public interface LoadProgress {
    /// Nobody listens.
    LoadProgress NONE = new LoadProgress() {
        @Override
        public void phase(String what, long bytes) {
            // nobody listens
        }

        @Override
        public void add(long bytes) {
            // nobody listens
        }
    };

    /// Something else is being done from now on.
    ///
    /// @param what  what, for people.
    /// @param bytes that are to be read.
    void phase(String what, long bytes);

    /// So many more bytes were read.
    void add(long bytes);
}
