"""The only wiring: settings in, a running exporter out."""
