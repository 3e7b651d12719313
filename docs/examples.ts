/** The examples of docs/configuration.md, by the key that they are of; a test loads each. */

export const EXAMPLES: Readonly<Record<string, string>> = {
  nodeId: `"nodeId": "studio"`,
  secret: `
"secret": { "file": "mesh.key" }         // or { "env": "MESH_KEY" }`,
  listen: `
"listen": { "host": "0.0.0.0", "port": 19700 }   // true means the defaults`,
  peers: `
"peers": [
  "ws://hub.lan:19700",
  // with the id that "clawmatrix status" shows there: no other node is accepted at this address
  { "url": "wss://relay.example.net", "id": "a4dqobyha4dqobyha4dqobyha4dqobyha4dqobyha4dqobyha4dqg7" }
]`,
  proxy: `
"proxy": {
  "host": "0.0.0.0",                       // others may call it, so it needs a key
  "apiKeys": [{ "env": "PROXY_KEY" }],     // openssl rand -hex 32
  "allowedHosts": ["studio.lan"],
  "allowedOrigins": ["https://chat.example.net"]
}`,
  providers: `
"providers": {
  "ollama": { "baseUrl": "http://127.0.0.1:11434/v1", "discover": true },
  "openai": {
    "baseUrl": "https://api.openai.com/v1",
    "apiKey": "\${OPENAI_API_KEY}",
    "api": "openai-responses",
    "timeouts": { "upstreamMs": 300000 }
  },
  // a server that nobody knows: what it cannot do is written here, for all of its models
  "box": {
    "baseUrl": "http://box.lan:5000/v1",
    "compat": { "supportsDeveloperRole": false, "maxTokensField": "max_tokens", "requiresStringContent": true }
  }
}`,
  models: `
"models": [
  { "id": "qwen3:8b", "provider": "ollama", "contextWindow": 32768, "maxTokens": 8192, "input": ["text"] },
  // all in one place, without an entry in "providers"; only this node may call it
  {
    "id": "llama-70b",
    "provider": "vllm",
    "baseUrl": "http://127.0.0.1:8000/v1",
    "apiKey": { "env": "VLLM_KEY" },
    "share": "none"
  }
]`,
  proxyModels: `
"proxyModels": [
  // listed with this description, called on no other node, and told what it is
  { "id": "qwen3:8b", "nodeId": "studio", "description": "fast local model", "tell": true }
]`,
  openclaw: `
"openclaw": {
  "config": "~/.openclaw/openclaw.json",
  "gateway": { "url": "http://127.0.0.1:18789", "token": { "env": "OPENCLAW_GATEWAY_TOKEN" } }
}`,
  timeouts: `"timeouts": { "upstreamMs": 120000, "holdMs": 10000 }`,
  responses: `
"responses": { "keep": "disk", "keepMs": 604800000 }   // a week, and over restarts`,
  limits: `"limits": { "sseEventBytesMax": 1048576 }`,
  log: `"log": { "level": "debug" }`,
};
