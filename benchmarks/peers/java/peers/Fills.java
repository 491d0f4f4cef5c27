package peers;

/** Counts and hashes the fills of the timed messages. */
final class Fills {
    private static final long FACTOR = 0x9E3779B97F4A7C15L;

    long trades;
    long volume;
    long notional;
    long hash;
    long rejects;

    void fill(long maker, long taker, long price, long quantity) {
        trades++;
        volume += quantity;
        notional += quantity * price;
        hash = hash * FACTOR + (maker << 32 | taker) + quantity;
    }

    /** Prints one pass: seconds and what was filled. */
    void print(long elapsedNs) {
        System.out.printf("pass %.6f %d %d %d %s %d%n", elapsedNs / 1e9, trades, volume, notional,
                Long.toUnsignedString(hash), rejects);
    }
}
