package org.bergfried.worker.batch;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.bergfried.contract.ClusterException;
import org.jspecify.annotations.Nullable;

/// A listener that remembers, and that reads only as many tokens as it is allowed to.
final class Reader implements SequenceListener {
    final List<Integer> positions = new ArrayList<>();
    final List<Integer> ids = new ArrayList<>();
    final Semaphore allowed;
    final CountDownLatch ended = new CountDownLatch(1);

    @Nullable
    FinishReason reason;

    @Nullable
    ClusterException error;

    int tokenCount;

    Reader() {
        this(Integer.MAX_VALUE);
    }

    Reader(int allowedTokens) {
        allowed = new Semaphore(allowedTokens);
    }

    @Override
    public void token(int position, int id) throws InterruptedException {
        allowed.acquire();
        positions.add(position);
        ids.add(id);
    }

    @Override
    public void finished(FinishReason how, int count) {
        reason = how;
        tokenCount = count;
        ended.countDown();
    }

    @Override
    public void failed(ClusterException why) {
        error = why;
        ended.countDown();
    }

    void awaitEnd() throws InterruptedException {
        if (!ended.await(20, TimeUnit.SECONDS)) {
            throw new IllegalStateException("no end after 20 s; " + ids.size() + " tokens came");
        }
    }
}
