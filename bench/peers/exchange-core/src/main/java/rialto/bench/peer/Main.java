package rialto.bench.peer;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Locale;

/**
 * Runs one stream file through exchange-core, a round for every line {@code round} on standard input, and answers
 * each with one JSON line. State is rebuilt for each round and prefill applied, both untimed. Ends at end of input.
 *
 * <p>Usage: {@code Main STREAM}.
 */
public final class Main {
    private Main() {}

    public static void main(String[] arguments) throws IOException, ReflectiveOperationException {
        if (arguments.length != 1) {
            System.err.println("usage: Main STREAM");
            System.exit(2);
        }
        StreamFile stream = StreamFile.read(Path.of(arguments[0]));
        BufferedReader requests = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        int round = 0;
        for (String line = requests.readLine(); line != null; line = requests.readLine()) {
            if (!line.equals("round")) {
                System.err.println("expected the line \"round\", got: " + line);
                System.exit(2);
            }
            round++;
            System.out.println(run(stream, round));
            System.out.flush();
        }
    }

    private static String run(StreamFile stream, int round) throws ReflectiveOperationException {
        Pipeline pipeline = new Pipeline(stream.symbols, stream.users);
        pipeline.apply(stream.fields, 0, stream.prefill);
        // The last round's garbage is not this round's cost.
        System.gc();
        long before = System.nanoTime();
        pipeline.apply(stream.fields, stream.prefill, stream.prefill + stream.commands);
        long elapsed = System.nanoTime() - before;
        return String.format(
                Locale.ROOT,
                "{\"stream\":\"%s\",\"round\":%d,\"commands_per_second\":%.0f,"
                        + "\"trades\":%d,\"quantity\":%d,\"notional\":%d,\"live\":%d}",
                stream.name,
                round,
                stream.commands / (elapsed / 1e9),
                pipeline.trades,
                pipeline.quantity,
                pipeline.notional,
                pipeline.liveOrders());
    }
}
