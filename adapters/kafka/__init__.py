"""Apache Kafka: the broker for trying things out, and the messages that subscribers get. Words: GLOSSARY.md."""
