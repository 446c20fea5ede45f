module k8s.io/unserved

go 1.26.0
