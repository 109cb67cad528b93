"""OPIR: task-aware inverse operators for rainy, snowy and hazy photographs."""
