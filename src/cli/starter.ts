/** The configuration that `init` writes: valid as it stands, with what people add first in comments. */

export function starterConfig(name: string): string {
  return `// ClawMatrix. JSON with comments; every key is in clawmatrix.example.json.
{
  // This node's name, as people type it: "${name}/some-model" is a model of this node.
  "nodeId": ${JSON.stringify(name)},

  // Where other nodes reach this one. Without it this node only dials.
  // "listen": { "host": "0.0.0.0", "port": 19700 },

  // Nodes to dial. One that listens is enough.
  "peers": [
    // "ws://hub.lan:19700"
  ],

  // Clients use http://127.0.0.1:19701/v1 as their OpenAI base URL.
  // "proxy": { "port": 19701 },

  // Servers that run models.
  "providers": {
    // "ollama": { "baseUrl": "http://127.0.0.1:11434/v1" },
    // "openai": { "baseUrl": "https://api.openai.com/v1", "apiKey": { "env": "OPENAI_API_KEY" }, "api": "openai-responses" }
  },

  // The models that this node offers to itself and, unless "share" is "none", to the mesh.
  "models": [
    // { "id": "qwen3:8b", "provider": "ollama", "contextWindow": 32768, "maxTokens": 8192 }
  ]
}
`;
}
