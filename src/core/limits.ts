/** Every limit of the house, each with its unit in its name and its reason above it. */

const KiB = 1024;
const MiB = 1024 * KiB;

// --- Bodies and streams -------------------------------------------------------------------------------------------

/** A request body: images travel in it as base64, so OpenAI's own clients go to tens of megabytes. */
export const REQUEST_BODY_BYTES_MAX = 32 * MiB;
/** Nesting of a request's JSON: no client goes beyond a tool schema's twenty; recursion must stay shallow. */
export const JSON_DEPTH_MAX = 64;
/** Messages or input items of a request that is translated: the longest conversations of agents have some thousand. */
export const INPUT_ITEMS_MAX = 16_384;
/** A call's id towards Responses servers and towards chat servers: OpenAI refuses a longer one. */
export const RESPONSES_CALL_ID_CHARS_MAX = 64;
export const CHAT_CALL_ID_CHARS_MAX = 40;
/** An answer's reasoning as a client keeps it for the next turn; what is beyond goes without it. */
export const REASONING_BLOB_CHARS_MAX = 1 * MiB;
/** A tool's name: OpenAI refuses a longer one. */
export const TOOL_NAME_CHARS_MAX = 64;
/** Texts that end an answer, where the entry has to look for them: OpenAI takes four, programs for stories send twenty. */
export const STOP_TEXTS_MAX = 32;
/** The length of one: so much of an answer may be held back, and compared with each. */
export const STOP_TEXT_CHARS_MAX = 256;
/** Choices of one answer that are told apart: the most that OpenAI gives. */
export const CHOICES_MAX = 128;
/** Kinds of events that a Responses stream can have and pass unread: the API has some sixty. */
export const EVENT_KINDS_MAX = 128;
/** Chunks of bytes in which servers that answer several choices at once begin them: a search in each. */
export const CHOICES_BEGINNING_CHUNKS = 32;
/** Parameters that the header names which a request lost on its way: a client may declare hundreds of tools. */
export const LEFT_OUT_SHOWN_MAX = 16;
/** What one translated answer says of its losses in the log; more of the same kind says nothing new. */
export const NOTES_PER_CALL_MAX = 16;
/** One SSE event or line of an upstream; it is held whole, at the owner and at the entry. */
export const SSE_EVENT_BYTES_MAX = 1 * MiB;
/** A reply without a stream that has to be translated, and so is held whole. */
export const JSON_REPLY_BYTES_MAX = 64 * MiB;
/** First bytes of a reply that may pass before they say what it is: some servers show life with white space. */
export const FIRST_BYTES_MAX = 1 * KiB;
/** An upstream's error body: read whole, so that it can be told again in our form. */
export const ERROR_BODY_BYTES_MAX = 64 * KiB;
/** Of a reply of OpenClaw's gateway that begins like an error, so much is held to see whether it is one; */
export const GATEWAY_HELD_BYTES_MAX = 64 * KiB;
/** and no longer text is taken for one: its own are a sentence or two, those of providers in them some lines. */
export const GATEWAY_ERROR_CHARS_MAX = 4_000;
/** How much of an upstream's own error text a client is shown. */
export const ERROR_TEXT_CHARS_MAX = 512;
/** An upstream's own error type, code or parameter name: a word, not a text. */
export const ERROR_WORD_CHARS_MAX = 128;
/** An error across the mesh: JSON makes up to six bytes of a letter, and a head with the worst still fits its frame. */
export const ERROR_MESSAGE_CHARS_MAX = 2_000;
/** A field of a request that an error names, as `messages[2].content`. */
export const ERROR_PARAM_CHARS_MAX = 256;
/** The longest `Retry-After` that is passed on: nobody waits for longer than a day. */
export const RETRY_AFTER_SECONDS_MAX = 86_400;
/** An upstream's reply headers. */
export const UPSTREAM_HEADER_BYTES_MAX = 64 * KiB;
/** A header value that a call or reply carries across the mesh. */
export const CARRIED_HEADER_CHARS_MAX = 512;

// --- Time at the upstream -----------------------------------------------------------------------------------------

/** Without any byte from the upstream for this long a call ends. Settable per model, provider and call. */
export const UPSTREAM_SILENCE_MS = 120_000;
/** The longest wait that can be configured: beyond a day it guards nothing, and Node's timers end at 24 days. */
export const CONFIGURED_WAIT_MS_MAX = 86_400_000;
/** A stream call that has no reply yet is answered with 200 after this long: clients and proxies give up on silence. */
export const HOLD_MS = 10_000;
/** Between two signs of life to a client that waits: it is promised one within 15 s, and timers fire late on busy machines. */
export const KEEPALIVE_MS = 14_000;
/** A request up to this size is repeated in a response that the entry begins itself: instructions and tools, as OpenAI's does. */
export const ECHOED_REQUEST_BYTES_MAX = 1 * MiB;
/** A client that takes no byte for this long while there is something to send is given up. */
export const CLIENT_STALL_MS = 60_000;
/** A chunk goes to the client in pieces of this size, so that one that reads slowly is seen to read. */
export const CLIENT_PIECE_BYTES = 64 * KiB;
/** How often the edge looks after its open replies: as exact as the two times above are kept. */
export const EDGE_SWEEP_MS = 1_000;
/** After the dialect's own end an upstream has this long for what it still wants to say, and to hang up. */
export const UPSTREAM_END_MS = 2_000;
/** A kept connection that ends so soon after a call went out on it was closed before; later the call may be in work. */
export const UPSTREAM_STALE_MS = 500;
/** How often a server that says that it still loads its model is asked again: loading takes many times that. */
export const LOADING_LOOK_MS = 1_000;
/** To a TCP and TLS connection with the upstream. */
export const UPSTREAM_CONNECT_MS = 10_000;

// --- Looking for models -------------------------------------------------------------------------------------------

/** How often a server is asked for its models: what is pulled or removed shows soon, at next to no cost to it. */
export const DISCOVERY_MS = 10_000;
/** For one whole list. A server that is busy with a large model answers late, not never. */
export const DISCOVERY_ANSWER_MS = 5_000;
/** A configured server that could not be asked what it is, is asked again: what is not known of it is only left undone. */
export const SERVER_PROBE_AGAIN_MS = 60_000;
/** One list: public ones have some hundred models at a few kilobytes each. */
export const DISCOVERY_BYTES_MAX = 4 * MiB;
/** Models of one list that are looked at: far above what a node announces, and milliseconds of work. */
export const DISCOVERY_ROWS_MAX = 2_048;
/** Rounds that a server may miss before its models go: a restart must not make them flicker. */
export const DISCOVERY_MISSES_MAX = 2;
/** Ids that the log shows of those that were left out of a list, and of each so much: enough to see what is wrong. */
export const REFUSED_IDS_SHOWN_MAX = 5;
export const REFUSED_ID_CHARS_MAX = 64;
/** A start waits this long for the first lists; what comes later is taken when it comes. */
export const DISCOVERY_START_MS = 500;

// --- HTTP edge ----------------------------------------------------------------------------------------------------

export const HTTP_CONNECTIONS_MAX = 4_096;
export const HTTP_HEADER_BYTES_MAX = 16 * KiB;
/** For all headers to come in: Node's own default, 60 s, lets a few slow clients hold many sockets. */
export const HTTP_HEADERS_MS = 10_000;
/** For a whole request to come in: 32 MiB over a slow wireless link still fit. */
export const HTTP_REQUEST_MS = 60_000;
/** How often Node looks for connections over the two limits above. */
export const HTTP_CHECK_MS = 2_000;
/** An idle connection is kept this long for the next request. */
export const HTTP_KEEP_ALIVE_MS = 15_000;
/** A wrong key is told so this late: guessing is slow, and nobody who has a right one waits. */
export const KEY_REFUSAL_MS = 250;
/** Refusals that wait for that time at once: each holds a connection. */
export const KEY_REFUSALS_WAITING_MAX = 256;
/** An address that brings so many wrong keys in so short a time … */
export const KEY_FAILURES_MAX = 10;
export const KEY_FAILURES_MS = 60_000;
/** … is locked out for this long: a client with an old key is noticed by its owner, a guesser gets nowhere. */
export const KEY_LOCKOUT_MS = 300_000;
/** Addresses with wrong keys that are remembered. */
export const KEY_FAILURES_REMEMBERED_MAX = 1_024;
/** WebSockets of clients: each holds a connection, and may have a message of the largest size under way. */
export const CLIENT_SOCKETS_MAX = 256;
/** One is closed after an hour, as OpenAI does it: clients that open a new one then forget what the old one kept. */
export const CLIENT_SOCKET_MS = 3_600_000;
/** How often a client on a WebSocket is asked for a sign of life: proxies on the way count it too. */
export const CLIENT_PING_MS = 15_000;
/** Without any sign for this long it is gone. One that runs a tool between two responses may not look at its socket. */
export const CLIENT_SILENCE_MS = 300_000;
/** Pieces of one message on a WebSocket: some clients send a large one in pieces of a few kilobytes. */
export const CLIENT_FRAGMENTS_MAX = 16_384;
/** And the chunks in which it comes in: megabytes over a slow link come in thousands. */
export const CLIENT_CHUNKS_MAX = 65_536;
/** A refused request's body is read on for this long and this far, so that the client sees the refusal. */
export const HTTP_DRAIN_MS = 500;
export const HTTP_DRAIN_BYTES_MAX = 256 * KiB;

// --- Records and frames -------------------------------------------------------------------------------------------

/** Plaintext of a record: an end-to-end record of a relayed circuit must fit into a link's (64 KiB with its overhead). */
export const RECORD_PLAIN_BYTES_MAX = 60 * KiB;
/** Tag of the cipher behind each record. */
export const RECORD_TAG_BYTES = 16;
/** Header of a frame: type, flags, number, length. */
export const FRAME_HEADER_BYTES = 8;
/** What one frame can carry: a frame always fits into one record. */
export const FRAME_PAYLOAD_BYTES_MAX = RECORD_PLAIN_BYTES_MAX - FRAME_HEADER_BYTES;
/** A control frame's JSON head. */
export const FRAME_HEAD_BYTES_MAX = 16 * KiB;
/** WebSocket message fragments: proxies on the way may cut a message, but not into crumbs. */
export const SOCKET_FRAGMENTS_MAX = 16;
/** Chunks in which the bytes of one message come in: a record is small, and comes in few. */
export const SOCKET_CHUNKS_MAX = 1_024;
/** Unsent bytes in a socket; the rest waits in the fair queue, where order can still be chosen. */
export const SOCKET_UNSENT_BYTES_MAX = 256 * KiB;
/** A socket that takes no byte for this long while there is something to send is given up. */
export const SOCKET_STALL_MS = 10_000;
/** A channel's key is replaced after the first of these. */
export const REKEY_RECORDS = 2 ** 24;
export const REKEY_BYTES = 64 * 1024 * MiB;
export const REKEY_MS = 3_600_000;

// --- Links --------------------------------------------------------------------------------------------------------

/** From the TCP connection to `ready`: all the time that a stranger gets. */
export const HANDSHAKE_MS = 5_000;
/** All bytes that a peer may send before it has proved itself. */
export const HANDSHAKE_BYTES_MAX = 4 * KiB;
/** Connections on the mesh port that have not proved themselves. */
export const HANDSHAKES_PENDING_MAX = 32;
/** Gate nonces remembered; a repeat is refused. */
export const GATE_NONCES_MAX = 4_096;
/** Silence on a link before a ping is sent. */
export const HEARTBEAT_MS = 5_000;
/** Silence on a link before it counts as dead. */
export const LINK_DEAD_MS = 15_000;
/** A timer that fires this much too late says that this machine slept, not that the peer died. */
export const SLEPT_MS = 2_000;
/** After a close is asked for, the peer gets this long to answer before the socket is cut. */
export const SOCKET_CLOSE_MS = 1_000;
/** Reconnection: the first delay and the longest. */
export const RECONNECT_MIN_MS = 500;
export const RECONNECT_MAX_MS = 30_000;
/** After "no common version" at least this long: it takes an update to mend, and each try is a line in a log. */
export const RECONNECT_VERSION_MS = 300_000;
/** A link that held this long was healthy: the next delay starts small again. */
export const LINK_HEALTHY_MS = 30_000;
/** Breaches by a peer (beyond its credit, too many resets) before its link is closed. */
export const STRIKES_MAX = 3;

// --- Calls --------------------------------------------------------------------------------------------------------

/** Open calls between one pair of nodes, each way. */
export const CALLS_PER_PEER_MAX = 2_048;
/** Open calls in a process. */
export const CALLS_MAX = 8_192;
/** What each side may send of a call before the other has said anything. */
export const FIRST_WINDOW_BYTES = 64 * KiB;
/** The most a call may have under way, out of the two budgets below. */
export const WINDOW_BYTES_MAX = 256 * KiB;
/** A large chunk of a call goes in pieces of this size, so that other calls get their turn within a record. */
export const PIECE_BYTES = 16 * KiB;
/** Pieces of one event that an entry holds until it is whole: the event, and what its owner joined to it. */
export const HELD_BYTES_MAX = SSE_EVENT_BYTES_MAX + WINDOW_BYTES_MAX;
export const CHANNEL_CREDIT_BYTES_MAX = 8 * MiB;
export const PROCESS_BUFFER_BYTES_MAX = 256 * MiB;
/** An acknowledgement waits this long for something better to say: a quick reply needs none, and saves a record. */
export const ACK_MS = 50;
/** The owner shows a sign of life at least this often while a call is open. */
export const PROGRESS_MS = 10_000;
/** The owner has this long to say that it takes a call. */
export const OWNER_ACK_MS = 5_000;
/** Without any frame of a call for this long its owner is given up: it shows life every `PROGRESS_MS`. */
export const OWNER_SILENCE_MS = 30_000;
/**
 * What a stream may say before its answer begins and be kept back for as long as another owner could take its place:
 * comments, a role, a response that begins, which repeats the instructions and tools of its request.
 */
export const PRELUDE_BYTES_MAX = 256 * KiB;
/** And for no longer than this: a client that waits for the first word should see that its answer has begun. */
export const PRELUDE_MS = 5_000;
/** Proxies of nodes that a call may come through: two that have each other as a provider would ask in a circle for ever. */
export const HOPS_MAX = 4;
/** Owners that one call is offered to: the first, and two more. */
export const TRIES_MAX = 3;
/** An owner that failed is left alone for this long while another can answer; then one call tries it. */
export const COOL_DOWN_MS = 10_000;
/** The longest that an owner's own `Retry-After` keeps calls away from it. */
export const COOL_DOWN_MS_MAX = 60_000;
/** Owners that are remembered as having failed: many times what a mesh has. */
export const COOLING_MAX = 4_096;
/** Call ids are remembered at the owner for this long, and at most so many of them: a repeat is refused. */
export const CALL_ID_MEMORY_MS = 600_000;
export const CALL_IDS_REMEMBERED_MAX = 100_000;
/** Suggested to a client that meets a full node. */
export const BUSY_RETRY_SECONDS = 2;

// --- What an entry remembers of Responses calls -------------------------------------------------------------------

/** Default of `responses.bytesMax`: some thousand turns of a usual conversation, and little beside a model. */
export const RESPONSES_BYTES_MAX = 64 * MiB;
/** The most that can be configured: it is in memory, and on disk it is read at the start. */
export const RESPONSES_BYTES_MAX_MAX = 1024 * MiB;
/** Default of `responses.keepMs`: who has not gone on with a conversation for a day begins a new one. */
export const RESPONSES_KEEP_MS = 86_400_000;
/** The longest that can be configured: OpenAI keeps responses for 30 days. */
export const RESPONSES_KEEP_MS_MAX = 30 * 86_400_000;
/** Responses that are kept, however small: each has an entry in two maps, and on disk a file. */
export const RESPONSES_MAX = 16_384;
/** What an entry costs beside its bytes. */
export const RESPONSE_OVERHEAD_BYTES = 512;
/** How often what has expired is looked for: nobody can refer to it by then, so only its room matters. */
export const RESPONSES_SWEEP_MS = 60_000;
/** Responses in a row that one call continues: each is read to write the conversation out. */
export const RESPONSE_CHAIN_MAX = 1_024;
/** Responses that upstreams keep whose homes are remembered when the rest is forgotten: 200 bytes each. */
export const RESPONSE_HOMES_MAX = 65_536;
/** How often the use of a response on disk is noted there: exact to a part of the shortest useful time. */
export const RESPONSE_TOUCH_MS = 3_600_000;
/** Writes to disk that wait: a disk that is slower than that loses the oldest use of it, memory alone has them then. */
export const RESPONSE_WRITES_MAX = 1_024;
/** The head of a response's file. */
export const RESPONSE_HEAD_BYTES_MAX = 4 * KiB;
/** A page of `input_items`: OpenAI's default, and its most. */
export const INPUT_ITEMS_PAGE = 20;
export const INPUT_ITEMS_PAGE_MAX = 100;
/** The query of an operation: `include`, `after`, `limit`, `order`. */
export const OPERATION_QUERY_CHARS_MAX = 512;
/** The latest words of the user that a compaction keeps as they are: they hold what was wanted, and cost few tokens. */
export const COMPACTION_VERBATIM_CHARS_MAX = 16_000;

// --- What nodes tell of themselves --------------------------------------------------------------------------------

export const NODE_NAME_CHARS_MAX = 64;
export const MODEL_ID_CHARS_MAX = 256;
export const CARD_TEXT_CHARS_MAX = 512;
export const NODE_RECORD_BYTES_MAX = 16 * KiB;
export const CARDS_PER_PAGE_MAX = 64;
export const CARDS_PER_NODE_MAX = 512;
export const ADDRESSES_PER_NODE_MAX = 8;
export const NEIGHBOURS_PER_NODE_MAX = 64;

// --- Configuration and control ------------------------------------------------------------------------------------

export const CONFIG_BYTES_MAX = 1 * MiB;
export const SECRET_BYTES_MAX = 16 * KiB;
/** The shortest proxy key that is taken: 128 bits as base64url. */
export const API_KEY_CHARS_MIN = 22;
/** Longest path of a Unix socket that every system takes (macOS: 104 with the final zero). */
export const SOCKET_PATH_BYTES_MAX = 103;
/** For one answer of the running daemon to the command line. */
export const CONTROL_MS = 5_000;
export const CONTROL_BYTES_MAX = 8 * MiB;
/** For running calls to end when a daemon stops. */
export const DRAIN_MS = 30_000;
/** For a daemon to stop in order, drain apart, before what is left is cut. */
export const STOP_MS = 5_000;
/** For the process to end when its daemon has stopped: Node closes what is left open. */
export const PROCESS_END_MS = 5_000;
/** For a daemon that was told to start anew to be ready again, its drain apart. */
export const RESTART_MS = 15_000;
/** Between two looks of `--watch`: as quick as a person reads, and a question costs the daemon a millisecond. */
export const WATCH_MS = 1_000;
/** For one thing that `doctor` tries: a server on the same network answers in a hundredth of it. */
export const PROBE_MS = 3_000;
/** A server's list of its models: the longest known, of a reseller of all others, is under 1 MiB. */
export const PROBE_BYTES_MAX = 4 * MiB;
/** Beyond five minutes tokens and certificates begin to be refused, as Kerberos has it by default. */
export const CLOCK_SKEW_MS_MAX = 300_000;
/** `chat` gives up on a proxy that shows no sign of life for as long as OpenAI's own clients wait. */
export const CHAT_SILENCE_MS = 600_000;
