import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/**
 * A service that follows its key file and tells keyturn which key it uses. The file is the key and
 * nothing else: a secret without `field`, or one entry of a mounted Kubernetes Secret.
 *
 * <pre>KEY_FILE=/srv/llm-keys/search-api KEY_NAME=search-api java Consumer.java</pre>
 */
public class Consumer {
    static final Path KEY_FILE = Path.of(System.getenv("KEY_FILE"));
    static final String KEY_NAME = env("KEY_NAME", "search-api");
    static final String PROVIDER = env("OPENROUTER_BASE_URL", "https://openrouter.ai/api/v1");
    static final String MODEL = env("MODEL", "openai/gpt-4o-mini");
    static final HttpClient CLIENT = HttpClient.newHttpClient();

    /** Guarded by the class: the key as last read, and how many requests bear each key. */
    static String current;
    static final Map<String, Integer> UNDER_WAY = new HashMap<>();

    /** Reads the file; what is not there or empty changes nothing. */
    static void read() {
        try {
            String key = Files.readString(KEY_FILE).strip();
            if (!key.isEmpty()) synchronized (Consumer.class) { current = key; }
        } catch (IOException notThere) {
            // The key last read stays.
        }
    }

    /** Lends the key of this moment to one request; it counts as held until it is given back. */
    static synchronized String take() throws IOException {
        if (current == null) throw new IOException("there is no key yet");
        UNDER_WAY.merge(current, 1, Integer::sum);
        return current;
    }

    static synchronized void giveBack(String key) {
        UNDER_WAY.computeIfPresent(key, (__, count) -> count == 1 ? null : count - 1);
    }

    static String ask(String prompt) throws IOException, InterruptedException {
        String key = take();
        try {
            String body = """
                {"model":"%s","messages":[{"role":"user","content":"%s"}]}""".formatted(MODEL, prompt);
            HttpRequest request = HttpRequest.newBuilder(URI.create(PROVIDER + "/chat/completions"))
                .header("Authorization", "Bearer " + key)
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body))
                .build();
            HttpResponse<String> response = CLIENT.send(request, HttpResponse.BodyHandlers.ofString());
            if (response.statusCode() != 200) throw new IOException("the provider answers " + response.statusCode());
            return response.body();
        } finally {
            giveBack(key);
        }
    }

    static synchronized String health() throws IOException {
        String holding = UNDER_WAY.keySet().stream()
            .filter(key -> !key.equals(current))
            .map(key -> '"' + fingerprint(key) + '"')
            .collect(Collectors.joining(","));
        return """
            {"status":"%s","instance":"%s","keys":{"%s":{"serving":%s,"holding":[%s]}}}""".formatted(
            current == null ? "waiting" : "ok",
            InetAddress.getLocalHost().getHostName(),
            KEY_NAME,
            current == null ? "null" : '"' + fingerprint(current) + '"',
            holding);
    }

    static String fingerprint(String key) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(key.getBytes(StandardCharsets.UTF_8));
            return "sha256:" + HexFormat.of().formatHex(digest);
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    public static void main(String[] args) throws IOException {
        read();
        Executors.newSingleThreadScheduledExecutor().scheduleWithFixedDelay(Consumer::read, 1, 1, TimeUnit.SECONDS);
        HttpServer server = HttpServer.create(
            new InetSocketAddress(env("HOST", "127.0.0.1"), Integer.parseInt(env("PORT", "8080"))), 0);
        server.setExecutor(Executors.newCachedThreadPool());
        server.createContext("/healthz", exchange -> {
            String body = health();
            reply(exchange, body.startsWith("{\"status\":\"ok\"") ? 200 : 503, body);
        });
        server.createContext("/ask", exchange -> {
            try {
                reply(exchange, 200, ask("hello"));
            } catch (IOException | InterruptedException failed) {
                reply(exchange, 502, "{}");
            }
        });
        server.start();
    }

    static void reply(HttpExchange exchange, int status, String body) throws IOException {
        byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().set("Content-Type", "application/json");
        exchange.sendResponseHeaders(status, bytes.length);
        exchange.getResponseBody().write(bytes);
        exchange.close();
    }

    static String env(String name, String otherwise) {
        String value = System.getenv(name);
        return value == null || value.isEmpty() ? otherwise : value;
    }
}
