package rialto.bench.peer;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * A generated order stream, decoded into one flat array of ints: {@link #FIELDS} ints a command. The record's user
 * is noise on a cancel or a replace, so the owner of each order is resolved here, outside any timing.
 */
final class StreamFile {
    static final int LIMIT = 0;
    static final int CANCEL = 1;
    static final int IMMEDIATE = 2;
    static final int REPLACE = 3;

    /** Offsets of a command's ints. OPERATION also holds the side, in its second byte. */
    static final int OPERATION = 0;
    static final int SYMBOL = 1;
    static final int USER = 2;
    static final int ORDER = 3;
    static final int NEW_ORDER = 4;
    static final int PRICE = 5;
    static final int QUANTITY = 6;
    static final int FIELDS = 8;

    private static final long MAGIC = 0x3131_4d54_5352_5453L;
    private static final int HEADER_BYTES = 128;
    private static final int RECORD_BYTES = 32;

    final String name;
    final int prefill;
    final int commands;
    final int symbols;
    final int users;
    final int[] fields;

    private StreamFile(String name, int prefill, int commands, int symbols, int users, int[] fields) {
        this.name = name;
        this.prefill = prefill;
        this.commands = commands;
        this.symbols = symbols;
        this.users = users;
        this.fields = fields;
    }

    static StreamFile read(Path path) throws IOException {
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            MappedByteBuffer bytes = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size());
            bytes.order(ByteOrder.LITTLE_ENDIAN);
            if (bytes.remaining() < HEADER_BYTES || bytes.getLong(0) != MAGIC) {
                throw new IOException(path + " is not a stream file (byte 0)");
            }
            int prefill = Math.toIntExact(bytes.getLong(8));
            int commands = Math.toIntExact(bytes.getLong(16));
            int symbols = Math.toIntExact(bytes.getLong(24));
            int maximumOrder = Math.toIntExact(bytes.getLong(32));
            int total = Math.addExact(prefill, commands);
            if (channel.size() != HEADER_BYTES + (long) total * RECORD_BYTES) {
                throw new IOException(path + " is not as long as its header says");
            }
            String name = path.getFileName().toString();
            return decode(name, bytes, prefill, commands, symbols, maximumOrder);
        }
    }

    private static StreamFile decode(
            String name, ByteBuffer bytes, int prefill, int commands, int symbols, int maximumOrder) {
        int total = prefill + commands;
        int[] fields = new int[total * FIELDS];
        int[] owner = new int[maximumOrder + 1];
        int users = 0;
        for (int index = 0; index < total; index++) {
            int at = HEADER_BYTES + index * RECORD_BYTES;
            int operation = bytes.get(at);
            int side = bytes.get(at + 1);
            int order = bytes.getInt(at + 8);
            int newOrder = bytes.getInt(at + 12);
            if (operation == LIMIT || operation == IMMEDIATE) {
                owner[order] = bytes.getInt(at + 4);
                users = Math.max(users, owner[order] + 1);
            } else if (operation == REPLACE) {
                owner[newOrder] = owner[order];
            }
            int out = index * FIELDS;
            fields[out + OPERATION] = operation | side << 8;
            fields[out + SYMBOL] = bytes.getShort(at + 2) & 0xffff;
            fields[out + USER] = owner[order];
            fields[out + ORDER] = order;
            fields[out + NEW_ORDER] = newOrder;
            fields[out + PRICE] = bytes.getInt(at + 16);
            fields[out + QUANTITY] = bytes.getInt(at + 20);
        }
        return new StreamFile(name, prefill, commands, symbols, users, fields);
    }
}
