"""The ways out of the process: our own pipeline, the SDK's, the application's."""
