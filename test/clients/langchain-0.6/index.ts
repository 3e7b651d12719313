/** What the tests use of LangChain before 1.0, found from here beside its own core. */
export * as messages from '@langchain/core/messages';
export { ChatOpenAI } from '@langchain/openai';
