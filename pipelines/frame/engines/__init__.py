"""Where work is done: processes of this machine, a Spark cluster, any runner of Beam."""
