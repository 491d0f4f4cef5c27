package peers;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;

/** An unpacked order stream as columns, so that a driver reads no bytes while the clock runs. */
final class Messages {
    static final byte ADD = 0;
    static final byte CANCEL = 1;
    private static final int HEADER_BYTES = 24;
    private static final int RECORD_BYTES = 24;

    final int symbols;
    final int prefill;
    final int count;
    final byte[] type;
    final boolean[] isBuy;
    final int[] symbol;
    final int[] price;
    final int[] quantity;
    final int[] id;
    final int[] reference;

    Messages(String path, int timed) throws IOException {
        ByteBuffer file = ByteBuffer.wrap(Files.readAllBytes(Path.of(path))).order(ByteOrder.LITTLE_ENDIAN);
        prefill = file.getInt(4);
        symbols = file.getInt(16);
        count = prefill + timed;
        type = new byte[count];
        isBuy = new boolean[count];
        symbol = new int[count];
        price = new int[count];
        quantity = new int[count];
        id = new int[count];
        reference = new int[count];
        for (int n = 0; n < count; n++) {
            int at = HEADER_BYTES + n * RECORD_BYTES;
            type[n] = file.get(at);
            isBuy[n] = file.get(at + 1) == 0;
            symbol[n] = file.getShort(at + 2) & 0xFFFF;
            price[n] = file.getInt(at + 4);
            quantity[n] = file.getInt(at + 8);
            id[n] = file.getInt(at + 12);
            reference[n] = file.getInt(at + 16);
        }
    }
}
