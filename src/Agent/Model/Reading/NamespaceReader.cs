namespace Postern.Agent.Model.Reading;

/// <summary>A v1 Namespace: its labels.</summary>
internal static class NamespaceReader
{
    public static NodeObject Read(FieldCursor root, ObjectMetadata metadata)
    {
        root.Ignore("spec");
        return new NamespaceObject(metadata.Key, metadata.Source, metadata.Labels);
    }
}
